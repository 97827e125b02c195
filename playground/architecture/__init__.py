"""The architecture of a model: its boxes, their weights and connections, and the drawing of it.

architecture.py   the records: weights, boxes, stages, layers, stacks
loaded_model.py   the architecture of a loaded model, found by watching a few tokens pass through it
block_boxes.py    the boxes of one of its blocks
ownership.py      which module answers for which weights
data_flow.py      how the boxes of a block are connected
planned_model.py  the architecture of a model that is not built yet
captions.py       what stands in the boxes
drawing.py        where boxes and lines stand
svg.py            the drawing as SVG
findings.py       what it shows, in sentences
length_cost.py    time and memory of a pass against its length
"""

from playground.architecture.architecture import Architecture
from playground.architecture.loaded_model import architecture_of
from playground.architecture.planned_model import planned_architecture
from playground.architecture.svg import architecture_svg

__all__ = ["Architecture", "architecture_of", "architecture_svg", "planned_architecture"]
