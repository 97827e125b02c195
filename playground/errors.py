"""The one exception whose text is meant for the person at the screen."""


class UserError(ValueError):
    """A request that cannot be carried out; its text is one clear sentence that says what to do instead."""
