"""The steps of one head and one query token, each with the model's own numbers."""

import numpy as np

from playground.charts.colours import KEY, QUERY, TRAIN, VALUE, Colour
from playground.lens.head_inside import HeadInside, Projected
from ui.controls.inside.followed import matrix_row, matrix_rows
from ui.controls.inside.norming import normed
from ui.controls.inside.origins import pairwise, products_of, projected, sums_of, turned, values_of
from ui.controls.inside.scene import Scene, vectors
from ui.controls.inside.stage import Picture, Stage, symbols
from ui.text import _


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
        hover.append(sums_of("x", found.embedded, found.entered, added) if fits else values_of("x", found.entered))
    picture = vectors(values, rows, hover, TRAIN, _("The embedding, and what enters the first block"))
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
    sign = symbols()
    query_hover = projected("q", "W_Q", found.query, [0], [scene.query])
    label = _("The query of the token")
    pictures = (
        vectors([_before(found.query)[0]], ["q"], query_hover, QUERY, label),
        _table(scene, found.keys, "k", "W_K", KEY, _("The keys")),
        _table(scene, found.values, "v", "W_V", VALUE, _("The values")),
        *matrix_rows(scene),
    )
    return Stage(
        name="projection",
        title=_("Query, keys and values"),
        formula=rf"{sign['q']} = W_Q\hat{{x}} + b_Q \\ {sign['k']}_j = W_K\hat{{x}}_j + b_K \\ "
        rf"{sign['v']}_j = W_V\hat{{x}}_j + b_V",
        sentence=sharing(found, scene.heads) + " " + _("Point at a number to see the largest products in its sum."),
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
    found, sign = scene.inside, symbols()
    pictures = []
    if found.query.rotates:
        hover = turned("q′", found.query, [0], [scene.query])
        pictures.append(vectors([found.query.met[0]], ["q′"], hover, QUERY, _("The query after rotation")))
    if found.keys.rotates:
        hover = turned("k′", found.keys, scene.shown, scene.keys)
        values = [found.keys.met[index] for index in scene.shown]
        pictures.append(vectors(values, scene.shown_keys, hover, KEY, _("The keys after rotation")))
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
    share = products_of("o", found.share, found.output_weight, found.steps.z, None, symbols=("W_O", "z"))
    picture = vectors([found.share], [_("head {head}").format(head=found.head)], [share], scene.colour, _("Its share"))
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
    others = _("the other heads and the bias")
    hover = [
        values_of("r", found.residual),
        values_of("o", found.share),
        sums_of("w", found.share, found.written, others),
        sums_of("r′", found.residual, found.after, _("what the layer added")),
    ]
    rows = [_("before"), _("this head"), _("all heads"), _("after")]
    values = [found.residual, found.share, found.written, found.after]
    sentence = _("What all heads of the layer wrote is added to the stream.")
    if not found.is_additive:
        sentence += " " + _("This family norms the sum afterwards.")
    return Stage(
        name="residual",
        title=_("Into the residual stream"),
        formula=r"r' = r + \sum_h o_h + b_O",
        sentence=sentence,
        pictures=(vectors(values, rows, hover, scene.colour, _("The residual stream before and after the layer")),),
        code=("residual",),
    )


def mixture(scene: Scene) -> Stage:
    """The values by their weights, and their sum."""
    found, sign = scene.inside, symbols()
    shares = found.steps.weights[:, None] * found.steps.values
    rows, z = [shares[index] for index in scene.shown], found.steps.z
    hover = [
        words
        for index in scene.shown
        for words in pairwise_one(float(found.steps.weights[index]), found.steps.values[index], scene.keys[index])
    ]
    hover.append(values_of("z", z, _("the sum of the column over all {count:,} keys").format(count=len(shares))))
    picture = vectors([*rows, z], [*scene.shown_keys, "z"], hover, VALUE, _("Weighted values and their sum"))
    return Stage(
        name="mix",
        title=_("Weighted sum of values"),
        formula=rf"z = \sum_j a_j {sign['v']}_j",
        sentence=_("Each value times its weight; the last row is their sum."),
        pictures=(picture,),
        code=("mix",),
    )


def pairwise_one(weight: float, value: np.ndarray, name: str) -> list[list[str]]:
    """One value's numbers times its weight."""
    return pairwise(np.full(len(value), weight), value[None], [name], "{token}: a · v[{i}]")


def _table(scene: Scene, made: Projected, name: str, matrix: str, colour: Colour, label: str) -> Picture:
    made_rows = _before(made)
    hover = projected(name, matrix, made, scene.shown, scene.keys)
    return vectors([made_rows[index] for index in scene.shown], scene.shown_keys, hover, colour, label, by_row=False)


def _before(made: Projected) -> np.ndarray:
    return made.met if made.before is None else made.before
