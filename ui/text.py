"""The language of a session: `?lang=` in the address; the sentences themselves are looked up in playground.text."""
