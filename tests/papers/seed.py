"""What the page that lenslab began from shows: its key terms with their scores, and the abstract they are of."""

import json
from importlib.resources import files

KEY_TERMS = {
    "unit": 0.278,
    "units": 0.266,
    "attributes": 0.243,
    "individual": 0.237,
    "classes": 0.212,
    "cnns": 0.208,
    "importance": 0.187,
    "accuracy": 0.175,
    "class": 0.169,
    "overall": 0.155,
    "classification": 0.141,
    "impact": 0.137,
    "does": 0.127,
    "specific": 0.124,
    "batch": 0.122,
    "encode": 0.122,
    "conducting": 0.119,
    "revisit": 0.119,
    "drop": 0.119,
    "meaningful": 0.118,
}
PAPER = json.loads((files("lenslab.library") / "data" / "1806.02891.json").read_text("utf-8"))["paper"]
