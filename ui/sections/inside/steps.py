"""The steps of one head and one query token, each with the model's own numbers."""

import numpy as np

from playground.charts.palette import KEY, QUERY, TRAIN, VALUE, Colour
from playground.lens.inspect.steps.layer import HeadInside, Projected
from playground.text import _
from ui.sections.inside.followed import matrix_row, matrix_rows
from ui.sections.inside.norming import normed
from ui.sections.inside.origins import (
    PLACE,
    entered,
    largest_terms,
    pairwise,
    products_of,
    projected,
    sums_of,
    turned,
    values_of,
)
from ui.sections.inside.scene import Scene, vectors
from ui.sections.inside.step_layout import symbols
from ui.sections.inside.step_parts import Picture, Stage


def stages_of(scene: Scene) -> list[Stage]:
    """From the embedding to the values; what follows is in `weighing`."""
    turns = scene.inside.query.rotates or scene.inside.keys.rotates
    return [_embedding(scene), normed(scene), _projection(scene), *([_rotation(scene)] if turns else [])]


def _embedding(scene: Scene) -> Stage:
    found = scene.inside
    rows, hover = [_("embedding")], [values_of("e", found.embedded, _("the row of the embedding's table"))]
    values, is_same = [found.embedded], np.array_equal(found.embedded, found.entered)
    if not is_same:
        rows.append(_("enters the first block"))
        values.append(found.entered)
        fits = len(found.embedded) == len(found.entered)
        added = _("position, segment, scale or norm, as the family has it")
        if found.entering is not None:
            hover.append(entered(found.entering))
        else:
            hover.append(sums_of("x", found.embedded, found.entered, added) if fits else values_of("x", found.entered))
    cells = [("e", 0), ("x", 0)][: len(values)]
    picture = vectors(values, rows, hover, TRAIN, _("The embedding, and what enters the first block"), cells=cells)
    sentence = (
        _("This model adds no positions to its embeddings, so the embedding itself enters the first block.")
        if is_same
        else _(
            "The embedding of the query token, and what enters the first block: with its position, where one is added."
        )
    )
    formula = r"x = e_{\text{token}}" if is_same else r"x = e_{\text{token}} + p_{\text{position}}"
    return Stage(
        name="embedding",
        title=_("Embedding and position"),
        formula=formula,
        sentence=sentence,
        pictures=(picture,),
        code=("embedding",),
    )


def _projection(scene: Scene) -> Stage:
    found = scene.inside
    sign = symbols(is_dark=scene.is_dark)
    query_hover = projected("q", "W_Q", found.query, [0], [scene.query])
    label = _("The query of the token")
    pictures = (
        vectors([_before(found.query)[0]], ["q"], query_hover, QUERY, label, cells=[("q", 0)]),
        _table(scene, found.keys, "k", "W_K", KEY, _("The keys")),
        _table(scene, found.values, "v", "W_V", VALUE, _("The values")),
        *matrix_rows(scene),
    )
    return Stage(
        name="projection",
        title=_("Query, keys and values"),
        formula=rf"{sign['q']} = W_Q\hat{{x}} + b_Q \\ {sign['k']}_j = W_K\hat{{x}}_j + b_K \\ "
        rf"{sign['v']}_j = W_V\hat{{x}}_j + b_V",
        sentence=sharing(found, scene.heads)
        + " "
        + _("Point at a number to see the largest products in its sum; click it to see them all."),
        pictures=pictures,
        code=("projection",),
    )


def sharing(found: HeadInside, heads: int) -> str:
    """Which query heads use the same keys and values; the groups of all heads, this one's in colour."""
    if len(found.shared_by) == 1:
        return _("Head {head} has keys and values of its own.").format(head=found.head)
    size = len(found.shared_by)
    shared = found.shared_by[0] // size
    words = _("Grouped queries: the heads {heads} share one set of keys and values, key head {shared}.").format(
        heads=", ".join(str(head) for head in found.shared_by), shared=shared
    )
    groups = []
    for group in range(heads // size):
        queries = " ".join(f"q{head}" for head in range(group * size, (group + 1) * size))
        groups.append(f":{'orange' if group == shared else 'gray'}-badge[{queries} → k{group} v{group}]")
    return " ".join([words, *groups])


def _rotation(scene: Scene) -> Stage:
    found, sign = scene.inside, symbols(is_dark=scene.is_dark)
    pictures = []
    if found.query.rotates:
        hover = turned("q′", found.query, [0], [scene.query])
        label = _("The query after rotation")
        pictures.append(vectors([found.query.met[0]], ["q′"], hover, QUERY, label, cells=[("qr", 0)]))
    if found.keys.rotates:
        hover = turned("k′", found.keys, scene.shown, scene.keys)
        values = [found.keys.met[index] for index in scene.shown]
        label, cells = _("The keys after rotation"), [("kr", index) for index in scene.shown]
        pictures.append(vectors(values, scene.shown_keys, hover, KEY, label, cells=cells))
    return Stage(
        name="rotation",
        title=_("Rotary positions"),
        formula=rf"{sign['q']}'_a = {sign['q']}_a\cos\theta - {sign['q']}_b\sin\theta \\ "
        rf"{sign['q']}'_b = {sign['q']}_b\cos\theta + {sign['q']}_a\sin\theta",
        sentence=_(
            "Pairs of numbers are turned by angles that grow with the position. Point at a number to see which."
        ),
        pictures=tuple(pictures),
        code=("rotation",),
    )


def contribution(scene: Scene) -> Stage:
    """From the head's z to what it adds to the residual stream."""
    found = scene.inside
    z = np.broadcast_to(found.steps.z, found.output_weight.shape)
    share = products_of(f"o[{PLACE}]", found.output_weight, z, "W_O[{place},{i}] · z[{i}]")
    name, label = _("head {head}").format(head=found.head), _("Its share")
    picture = vectors([found.share], [name], [share], scene.colour, label, cells=[("o", 0)])
    return Stage(
        name="output",
        title=_("The head's share of the output projection"),
        formula=r"o_h = W_O^{(h)} z_h",
        sentence=_("The columns of the output projection that belong to this head, times z."),
        pictures=(picture, matrix_row("W_O", found.output_weight, found.steps.z, scene.followed, "z", scene.colour)),
        code=("output",),
    )


def into_the_stream(scene: Scene) -> Stage:
    """The residual stream before and after the layer."""
    found = scene.inside
    hover = [
        values_of("r", found.residual, _("what was written before; click it for every layer's part")),
        values_of("o", found.share, _("the product that the step before shows")),
        largest_terms(f"Σ o_h[{PLACE}]", found.head_shares.T, "o_{i}[{place}]"),
        sums_of("r′", found.residual, found.after, _("what the layer added")),
    ]
    rows = [_("before"), _("this head"), _("all heads"), _("after")]
    values = [found.residual, found.share, found.written, found.after]
    cells = [("r", 0), ("o", 0), ("h", 0), ("u", 0)]
    if not np.allclose(found.added, found.written, atol=1e-6):
        rows.insert(3, _("all heads, normed"))
        values.insert(3, found.added)
        cells.insert(3, ("d", 0))
        hover.insert(3, values_of("d", found.added, _("what the layer's norm made of all heads")))
    label = _("The residual stream before and after the layer")
    sentence = _("What all heads of the layer wrote is added to the stream.")
    if not found.is_additive:
        sentence += " " + _("This family norms the sum afterwards.")
    return Stage(
        name="residual",
        title=_("Into the residual stream"),
        formula=r"r' = r + \sum_h o_h + b_O",
        sentence=sentence,
        pictures=(vectors(values, rows, hover, scene.colour, label, cells=cells),),
        code=("residual",),
    )


def mixture(scene: Scene) -> Stage:
    """The values by their weights, and their sum."""
    found, sign = scene.inside, symbols(is_dark=scene.is_dark)
    shares = found.steps.weights[:, None] * found.steps.values
    rows, z = [shares[index] for index in scene.shown], found.steps.z
    values = found.steps.values[scene.shown]
    weights = np.broadcast_to(found.steps.weights[scene.shown][:, None], values.shape)
    hover = pairwise(weights, values, [scene.keys[index] for index in scene.shown], "a · v[{place}]")
    weights = np.broadcast_to(found.steps.weights, found.steps.values.T.shape)
    hover.append(products_of(f"z[{PLACE}]", weights, found.steps.values.T, "a[{i}] · v[{i},{place}]"))
    label, cells = _("Weighted values and their sum"), [*(("av", index) for index in scene.shown), ("z", 0)]
    picture = vectors([*rows, z], [*scene.shown_keys, "z"], hover, VALUE, label, cells=cells)
    return Stage(
        name="mix",
        title=_("Weighted sum of values"),
        formula=rf"z = \sum_j a_j {sign['v']}_j",
        sentence=_("Each value times its weight; the last row is their sum."),
        pictures=(picture,),
        code=("mix",),
    )


def _table(scene: Scene, made: Projected, name: str, matrix: str, colour: Colour, label: str) -> Picture:
    made_rows = _before(made)
    hover = projected(name, matrix, made, scene.shown, scene.keys)
    rows, cells = [made_rows[index] for index in scene.shown], [(name, index) for index in scene.shown]
    return vectors(rows, scene.shown_keys, hover, colour, label, cells=cells, by_row=False)


def _before(made: Projected) -> np.ndarray:
    return made.met if made.before is None else made.before
