"""Hooks that are left on a model."""


def assert_unhooked(model) -> None:
    """No hook is left on a loaded model but the one that guards its embedding."""
    embedding = model.adapter.embedding()
    for part in model.module.modules():
        assert not part._forward_hooks
        assert len(part._forward_pre_hooks) == (part is embedding)
