"""A corpus of refusals: what people really bring and cannot be taken, each with the words that its message must hold.

Every case is one command. It ends with the exit code 2 and one message that names the thing and the next step; there is
no traceback, no answer, and no file that was not there before.
"""

from __future__ import annotations

import io
import json
import shutil
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import nn

from lenslab.cli import main
from lenslab.units import ablate, load
from tests.cli.conftest import Typed

SMALL = "ablate small --weights digits --images"
MINE = "--mean 0.5 --sd 0.5 --size 8"
NETS = """
import types
import torch
from torch import nn

number = 7
not_a_module = lambda: "a string"

def body(classes=10):
    layers = [nn.Conv2d(1, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(4, classes))

def fine(): return body()
def needs(argument): return body()
def fails(): raise RuntimeError("no licence for this network")
def none(): return body(0)
def maps(): return nn.Conv2d(1, 4, 3)
def words(): return Says(lambda z: "ten")
def two(): return Says(lambda z: (z, z))
def soft(): return Says(lambda z: z.softmax(1))
def gate(): return Says(lambda z: z.sigmoid(), 1)
def squeezes(): return Says(lambda z: z.squeeze(0))
def mixes(): return nn.Sequential(nn.BatchNorm2d(1, track_running_stats=False), body())
def scripted(): return torch.jit.script(body())
def hidden():
    made = body()
    made.held = [nn.Linear(2, 2)]
    return made
def spaced():
    made = body()
    made.held = types.SimpleNamespace(layer=nn.Linear(2, 2))
    return made
def replaced():
    made = body()
    inner = made[4]
    made.forward = lambda x: inner(x.mean((2, 3)).repeat(1, 4))
    return made
def empty():
    with torch.device("meta"):
        return body()
def nan():
    made = body()
    made[4].bias.data.fill_(float("nan"))
    return made
def rows(): return nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
def one_dimensional():
    end = [nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(4, 10)]
    return nn.Sequential(nn.Flatten(2), nn.Conv1d(1, 4, 3), nn.ReLU(), *end)

class Says(nn.Module):
    def __init__(self, wrap, classes=10):
        super().__init__()
        self.net, self.wrap = body(classes), wrap
    def forward(self, x):
        return self.wrap(self.net(x))
"""


def png(value: int = 0, size: tuple[int, int] = (8, 8)) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(np.full(size, value, np.uint8)).save(stream, "PNG")
    return stream.getvalue()


def folders(place: Path, names: list[str], content: bytes | None = None) -> None:
    for number, name in enumerate(names):
        (place / name).mkdir(parents=True)
        (place / name / "1.png").write_bytes(png(number) if content is None else content)


def named(names: list[str] | None) -> dict[str, str] | None:
    return names and {"huggingface": json.dumps({"info": {"features": {"label": {"names": names}}}})}


def table(path: Path, columns: dict[str, object], names: list[str] | None = None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns).replace_schema_metadata(named(names)), path)


@pytest.fixture(scope="module")
def brought(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What people bring: every file and directory that a case names."""
    place = tmp_path_factory.mktemp("brought")
    (place / "brought_nets.py").write_text(NETS, encoding="utf-8")
    (place / "broken_nets.py").write_text("def net(:\n", encoding="utf-8")
    (place / "lacking_nets.py").write_text("import no_such_package\n", encoding="utf-8")
    weights(place)
    images(place)
    bibliographies(place)
    results(place)
    return place


def weights(place: Path) -> None:
    net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 10))
    state = net.state_dict()
    other = {name: torch.randn_like(tensor) for name, tensor in state.items()}
    torch.save({"model": state, "ema": other}, place / "two.pth")
    torch.save({"net": {"body.0.weight": state["0.weight"]}}, place / "one.pth")
    torch.save({name: tensor for name, tensor in state.items() if name != "4.bias"}, place / "lacks.pth")
    torch.save({**state, "5.weight": torch.zeros(1)}, place / "more.pth")
    torch.save({**state, "4.weight": torch.zeros(7, 4)}, place / "shape.pth")
    torch.save({**state, "4.bias": torch.full((10,), torch.inf)}, place / "infinite.pth")
    torch.save([1, 2, 3], place / "list.pth")
    torch.save(net, place / "pickled.pth")
    torch.save({}, place / "nothing.pth")
    torch.jit.script(net).save(place / "scripted.pt")
    save_file(state, place / "fine.safetensors")
    whole = (place / "fine.safetensors").read_bytes()
    (place / "cut.safetensors").write_bytes(whole[: len(whole) // 2])
    (place / "huge.safetensors").write_bytes(struct.pack("<Q", 1 << 60) + b"{}")
    (place / "words.safetensors").write_text("no weights")
    (place / "empty.pth").write_bytes(b"")
    (place / "zip.pth").write_bytes(b"PK\x03\x04 cut")
    (place / "hostile.pth").write_bytes(b"cos\nsystem\n(S'touch executed'\ntR.")
    (place / "model.onnx").write_bytes(b"\x08\x07\x12\x07pytorch")
    (place / "model.h5").write_bytes(b"\x89HDF\r\n\x1a\n")
    (place / "directory.pth").mkdir()


def images(place: Path) -> None:
    encoded, labels = [png(value) for value in range(4)], [0, 1, 2, 3]
    folders(place / "splits", ["train", "test"])
    folders(place / "parts" / "train", ["a", "b"])
    folders(place / "parts" / "val", ["a", "b"])
    folders(place / "broken", ["0", "1"], b"no picture")
    folders(place / "many", [str(number) for number in range(12)])
    folders(place / "animals", ["cat", "dog"])
    (place / "loose").mkdir()
    (place / "loose" / "1.png").write_bytes(png())
    (place / "hollow" / "a").mkdir(parents=True)
    (place / "hollow" / "a" / "notes.txt").write_text("none")
    (place / "void").mkdir()
    table(place / "both" / "train-0.parquet", {"image": encoded, "label": labels})
    table(place / "both" / "test-0.parquet", {"image": encoded, "label": labels})
    table(place / "twice.parquet", {"image": encoded, "img": encoded, "label": labels})
    table(place / "labels2.parquet", {"image": encoded, "label": labels, "fine_label": labels})
    table(place / "unlabelled.parquet", {"image": encoded})
    table(place / "unpictured.parquet", {"text": ["a"] * 4, "label": labels})
    table(place / "addresses.parquet", {"image": ["a.png"] * 4, "label": labels})
    table(place / "words.parquet", {"image": encoded, "label": ["a", "b", "c", "d"]})
    table(place / "nulls.parquet", {"image": encoded, "label": pa.array([0, None, 1, 2])})
    table(place / "negative.parquet", {"image": encoded, "label": [0, -1, 1, 2]})
    table(place / "beyond.parquet", {"image": encoded, "label": [0, 1, 2, 77]})
    table(place / "damaged.parquet", {"image": [*encoded[:3], b"no picture"], "label": labels})
    table(place / "none.parquet", {"image": pa.array([], pa.binary()), "label": pa.array([], pa.int64())})
    table(place / "colours" / "a.parquet", {"image": encoded, "label": [2] * 4}, ["red", "blue"])
    table(place / "colours" / "b.parquet", {"image": encoded, "label": [0] * 4}, ["blue", "red", "grey"])
    (place / "cut.parquet").write_bytes((place / "twice.parquet").read_bytes()[:200])
    (place / "text.parquet").write_text("no table")
    pixels = np.zeros((4, 8, 8), np.uint8)
    np.savez(place / "one.npz", pixels=pixels)
    np.savez(place / "lengths.npz", images=pixels, labels=np.zeros(3, np.int64))
    np.savez(place / "normal.npz", images=np.random.default_rng(0).normal(size=(4, 8, 8)), labels=np.arange(4))
    np.savez(place / "halves.npz", images=pixels, labels=np.array([0.5, 1, 2, 3]))
    np.savez(place / "objects.npz", images=np.array([None] * 4, dtype=object), labels=np.arange(4))
    np.savez(place / "flat.npz", images=np.zeros((4, 64), np.uint8), labels=np.arange(4))
    np.savez(place / "rgb.npz", images=np.zeros((4, 8, 8, 3), np.uint8), labels=np.arange(4))
    (place / "cut.npz").write_bytes((place / "rgb.npz").read_bytes()[:150])
    with zipfile.ZipFile(place / "zip.npz", "w") as archive:
        archive.writestr("notes.txt", "none")
    (place / "picture.png").write_bytes(png())
    (place / "table.csv").write_text("image,label\n")
    for name, content in {
        "list.json": "[1]",
        "words.json": "no JSON",
        "zebra.json": '{"0": "zebra"}',
        "twice.json": '{"0": 1, "0": 2}',
        "far.json": '{"0": 99}',
        "partly.json": '{"input_size": [1, 8, 8]}',
    }.items():
        (place / name).write_text(content)
    for name, mask in {"other": png(255, (4, 4)), "stranger": png(255)}.items():
        (place / f"masks-{name}" / "images").mkdir(parents=True)
        (place / f"masks-{name}" / "masks" / "sky").mkdir(parents=True)
        (place / f"masks-{name}" / "images" / "1.png").write_bytes(png())
        (place / f"masks-{name}" / "masks" / "sky" / ("1.png" if name == "other" else "2.png")).write_bytes(mask)


def bibliographies(place: Path) -> None:
    for name, content in {
        "poem.txt": "Roses are red",
        "empty.bib": "",
        "list.json.gz": "no gzip",
        "markup.html": "<html></html>",
        "endnote.enw": "%0 Journal Article\n%T Units\n",
    }.items():
        (place / name).write_text(content)
    (place / "zeros.bib").write_bytes(bytes(1000))
    (place / "utf16.bib").write_bytes("@misc{a, title = {Units}}".encode("utf-16"))


def results(place: Path) -> None:
    run = place / "run"
    ablate(load("small", weights="digits"), "digits", sites=["relu3"], limit=20, attributes=False, out=run)
    for name in ("newer", "cut", "lacks", "unfinished", "nonsense", "turned"):
        shutil.copytree(run, place / name)
    document = json.loads((run / "record.json").read_text())
    (place / "newer" / "record.json").write_text(json.dumps({**document, "schema": 99}))
    (place / "cut" / "record.json").write_text((run / "record.json").read_text()[:200])
    (place / "nonsense" / "record.json").write_text("[]")
    (place / "lacks" / "units.parquet").unlink()
    (place / "unfinished" / "record.json").unlink()
    (place / "turned" / "units.parquet").write_bytes(b"cut short")
    (place / "foreign").mkdir()
    (place / "foreign" / "thesis.tex").write_text("precious")


CASES: list[tuple[str, str]] = [
    # Networks.
    ("sites smal", "did you mean 'small'?"),
    ("sites resnet21", "did you mean 'resnet2"),
    ("sites nowhere:net --mean 0 --sd 1 --size 8", "no Python module named 'nowhere'"),
    (f"sites brought_nets:absent {MINE}", "has no 'absent'"),
    (f"sites brought_nets:number {MINE}", "is a int; expected a callable"),
    (f"sites brought_nets:not_a_module {MINE}", "returns a str; expected a torch.nn.Module"),
    (f"sites brought_nets:needs {MINE}", "name a callable that needs no arguments"),
    (f"sites brought_nets:fails {MINE}", "no licence for this network"),
    (f"sites brought_nets: {MINE}", "is not package.module:callable"),
    (f"sites broken_nets:net {MINE}", "broken_nets cannot be imported: SyntaxError"),
    (f"sites lacking_nets:net {MINE}", "no_such_package"),
    (f"sites brought_nets:maps {MINE}", "a classifier puts out logits [2, K]"),
    (f"sites brought_nets:words {MINE}", "puts out str()"),
    (f"sites brought_nets:two {MINE}", "say where the logits are, with --output KEY"),
    (f"sites brought_nets:two {MINE} --output 5", "no logits at 5"),
    (f"sites brought_nets:two {MINE} --output scores", "no logits at 'scores'"),
    (f"sites brought_nets:soft {MINE}", "puts out probabilities"),
    (f"sites brought_nets:gate {MINE}", "puts out probabilities"),
    (f"sites brought_nets:squeezes {MINE}", "squeezes the batch's dimension"),
    (f"sites brought_nets:mixes {MINE}", "batch norm without running statistics"),
    (f"sites brought_nets:scripted {MINE}", "is TorchScript"),
    (f"sites brought_nets:hidden {MINE}", "held[0]"),
    (f"sites brought_nets:spaced {MINE}", "held.layer"),
    (f"sites brought_nets:replaced {MINE}", "is a function that holds on to modules"),
    (f"sites brought_nets:empty {MINE}", "are on the meta device"),
    (f"ablate brought_nets:nan --images digits {MINE} --limit 20", "NaN"),
    (f"sites brought_nets:fine {MINE} --size 1", "--size"),
    ("sites brought_nets:fine --mean 0.5,0.5,0.5 --sd 0.5 --size 8", "Are channels"),
    ("sites brought_nets:fine --mean 0.5 --sd 0.5", "give one with --size"),
    ("sites brought_nets:fine --size 8", "give --mean and --sd"),
    ("sites small --output logits", "leave output away"),
    ("sites transformers:no/such/directory", "no/such/directory"),
    ("sites torchvision:resnet18", "torchvision"),
    ("sites timm:resnet18", "timm"),
    # Weights.
    ("sites resnet20 --weights no.pth", "no weights 'no.pth': no such file"),
    ("ablate resnet20 --images digits", "give a file with --weights FILE"),
    (f"sites brought_nets:fine {MINE} --weights two.pth", "two.pth#"),
    (f"sites brought_nets:fine {MINE} --weights two.pth#swa", "swa"),
    (f"sites brought_nets:fine {MINE} --weights one.pth", "does not fit"),
    (f"sites brought_nets:fine {MINE} --weights lacks.pth", "1 missing (4.bias)"),
    (f"sites brought_nets:fine {MINE} --weights more.pth", "1 unexpected (5.weight)"),
    (f"sites brought_nets:fine {MINE} --weights shape.pth", "is [7, 4] and should be [10, 4]"),
    (f"sites brought_nets:fine {MINE} --weights infinite.pth", "infinite.pth"),
    (f"sites brought_nets:fine {MINE} --weights list.pth", "list.pth"),
    (f"sites brought_nets:fine {MINE} --weights pickled.pth", "state_dict()"),
    (f"sites brought_nets:fine {MINE} --weights nothing.pth", "nothing.pth"),
    (f"sites brought_nets:fine {MINE} --weights scripted.pt", "is a TorchScript archive"),
    (f"sites brought_nets:fine {MINE} --weights cut.safetensors", "cut.safetensors"),
    (f"sites brought_nets:fine {MINE} --weights huge.safetensors", "huge.safetensors"),
    (f"sites brought_nets:fine {MINE} --weights words.safetensors", "words.safetensors"),
    (f"sites brought_nets:fine {MINE} --weights empty.pth", "empty.pth"),
    (f"sites brought_nets:fine {MINE} --weights zip.pth", "zip.pth"),
    (f"sites brought_nets:fine {MINE} --weights hostile.pth", "hostile.pth"),
    (f"sites brought_nets:fine {MINE} --weights model.onnx", "ONNX"),
    (f"sites brought_nets:fine {MINE} --weights model.h5", "model.h5"),
    (f"sites brought_nets:fine {MINE} --weights directory.pth", "directory.pth"),
    (f"sites brought_nets:rows {MINE} --weights fine.safetensors", "does not fit"),
    # Sites.
    (f"{SMALL} digits --sites relu9", "no site matches 'relu9'; did you mean"),
    (f"{SMALL} digits --sites linear", "'linear' is seen, and is no site: it is the logits"),
    (
        f"ablate brought_nets:one_dimensional --images digits {MINE} --sites 1",
        "'1' is seen, and is no site: for one image it is",
    ),
    (f"ablate brought_nets:rows --images digits {MINE}", "no default sites"),
    # Images.
    (f"{SMALL} digit", "did you mean 'digits'?"),
    (f"{SMALL} nowhere/at/all", "no images named 'nowhere/at/all' and no such file"),
    (f"{SMALL} splits", "are splits of a data set and no classes"),
    (f"{SMALL} parts", "give one of them with --split"),
    (f"{SMALL} parts --split dev", "no directory of a split 'dev'"),
    (f"{SMALL} parts --split train+val", "one of them is measured at a time"),
    (f"{SMALL} broken", "broken/0/1.png does not decode"),
    (f"{SMALL} broken --skip-broken", "none of the 2 images of broken decodes"),
    (f"{SMALL} many", "--classes"),
    (f"{SMALL} animals", "name their classes differently"),
    (f"{SMALL} loose", "no directory for each class"),
    (f"{SMALL} hollow", "hold no pictures"),
    (f"{SMALL} void", "void holds no"),
    (f"{SMALL} both", "holds several splits of a data set: test (1 file), train (1 file)"),
    (f"{SMALL} both --split dev", "has no split 'dev'"),
    (f"{SMALL} twice.parquet", "image and img, and any of them may be meant"),
    (f"{SMALL} labels2.parquet", "label and fine_label"),
    (f"{SMALL} unlabelled.parquet", "labels in label"),
    (f"{SMALL} unpictured.parquet", "expected pictures in image or img"),
    (f"{SMALL} addresses.parquet", "expected encoded pictures"),
    (f"{SMALL} words.parquet", "name their classes differently: 4 of the 4 classes of the images ('a', 'b', 'c' and"),
    (f"{SMALL} nulls.parquet", "row 1 of"),
    (f"{SMALL} negative.parquet", "labels are negative"),
    (f"{SMALL} beyond.parquet", "77"),
    (f"{SMALL} damaged.parquet --sites relu3", "row 3 of"),
    (f"{SMALL} none.parquet", "holds no images"),
    (f"{SMALL} colours", "has the label 2, and names 2 classes only"),
    (f"{SMALL} cut.parquet", "cannot be read as Parquet"),
    (f"{SMALL} text.parquet", "cannot be read as Parquet"),
    (f"{SMALL} nothing/*.parquet", "no file is of the form"),
    (f"{SMALL} one.npz", "one.npz"),
    (f"{SMALL} lengths.npz", "lengths.npz"),
    (f"{SMALL} normal.npz", "expected uint8"),
    (f"{SMALL} halves.npz", "halves.npz"),
    (f"{SMALL} objects.npz", "save plain arrays"),
    (f"{SMALL} flat.npz", "flat.npz"),
    (f"{SMALL} cut.npz", "cut.npz"),
    (f"{SMALL} zip.npz", "zip.npz"),
    (f"{SMALL} picture.png", "is not a kind of file that is read here"),
    (f"{SMALL} table.csv", "is not a kind of file that is read here"),
    (f"{SMALL} digits --classes no.json", "no.json"),
    (f"{SMALL} digits --classes list.json", "is not a mapping of classes"),
    (f"{SMALL} digits --classes words.json", "is not JSON"),
    (f"{SMALL} digits --classes zebra.json", "zebra"),
    (f"{SMALL} digits --classes twice.json", "says twice what '0' belongs to"),
    (f"{SMALL} digits --classes far.json", "99"),
    (f"{SMALL} digits --concepts nowhere", "no images with masks at nowhere"),
    (f"{SMALL} digits --concepts animals", "holds no directory images and no masks"),
    (f"{SMALL} digits --sites relu3 --limit 20 --concepts masks-other", "give masks of the images' own size"),
    (f"{SMALL} digits --concepts masks-stranger", "belongs to no image"),
    (f"{SMALL} digits --concepts animals --no-attributes", "attributes are left out"),
    (f"{SMALL} digits --reference nowhere --replacement mean", "no images named 'nowhere'"),
    # Options.
    ("ablate small", "--images"),
    (f"{SMALL} digits --limit 0", "a limit of 0 leaves no images"),
    (f"{SMALL} digits --limit -3", "limit is a whole number"),
    (f"{SMALL} digits --limit ten", "Invalid value for '--limit'"),
    (f"{SMALL} digits --size big", "'big' is not a size"),
    (f"{SMALL} digits --size 0", "size"),
    (f"{SMALL} digits --mean a,b", "'a,b' is not a list of numbers"),
    (f"{SMALL} digits --mean 77.8", "if it is one of bytes, give it divided by 255"),
    (f"{SMALL} digits --sd 95", "if it is one of bytes, give it divided by 255"),
    (f"{SMALL} digits --sd 0", "sd"),
    (f"{SMALL} digits --mean 0.5,0.5", "channel"),
    (f"{SMALL} digits --preprocessing no.json", "no.json"),
    (f"{SMALL} digits --preprocessing words.json", "words.json"),
    (f"{SMALL} digits --preprocessing partly.json", "partly.json"),
    (f"{SMALL} digits --device toaster", "no device 'toaster' here"),
    (f"{SMALL} digits --engine magic", "no engine named 'magic'"),
    (f"{SMALL} digits --replacement median", "median"),
    (f"{SMALL} digits --replacement nan", "nan"),
    (f"{SMALL} digits --basis pca", "pca"),
    (f"{SMALL} digits --draws 0 --replacement resample", "draws"),
    (f"{SMALL} digits --draws 3", "draws"),
    (f"{SMALL} digits --top 99", "the top 99 of 10 classes says nothing new"),
    (f"{SMALL} digits --batch-size 0", "batch_size"),
    (f"{SMALL} digits --verify -1", "--verify"),
    (f"{SMALL} digits --seed -1", "--seed"),
    (f"{SMALL} digits --resume --out new", "nothing to resume in new"),
    (f"{SMALL} digits --limit 10 --out foreign", "is not empty (it has 'thesis.tex')"),
    (f"{SMALL} digits --limit 10 --out poem.txt", "is a file; name a new directory"),
    (f"{SMALL} digits --limit 10 --out poem.txt/run", "no record can be written to"),
    (f"{SMALL} digits --limit 10 --out run", "holds another run"),
    ("ablat small", "No such command"),
    ("ablate small --imagse digits", "No such option"),
    # Records.
    ("units-for 8 --run nowhere", "nowhere"),
    ("units-for zebra --run run", "zebra"),
    ("units-for 8 --run run --site relu9", "relu9"),
    ("units-for 8 --run run --level 2", "--level"),
    ("units-for 8 --run newer", "Upgrade lenslab"),
    ("units-for 8 --run cut", "cut"),
    ("units-for 8 --run nonsense", "nonsense"),
    ("units-for 8 --run unfinished", "unfinished"),
    ("flips turned --site relu3 --unit 0", "turned"),
    ("flips run --site relu3 --unit 640", "640"),
    ("flips run --site relu9", "relu9"),
    ("report lacks", "units"),
    ("report nowhere", "nowhere"),
    ("report foreign", "foreign"),
    ("compare run nowhere", "nowhere"),
    ("compare run foreign", "foreign"),
    ("curve run --order magic --images digits", "magic"),
    ("curve run --site relu9", "relu9"),
    ("curve run --steps 0", "0"),
    ("curve run --weights no.pth", "no.pth"),
    ("study run 1234.56789", "1234.56789"),
    ("study show run", "run"),
    ("study show nowhere", "nowhere"),
    # Papers.
    ("paper show 1806.0289", "1806.02891"),
    ("paper show nobody-knows-this-2018", "nobody-knows-this-2018"),
    ("paper import no.bib", "no.bib"),
    ("paper import poem.txt", "begins like none of the formats"),
    ("paper import empty.bib", "empty.bib"),
    ("paper import list.json.gz", "list.json.gz"),
    ("paper import markup.html", "begins like none of the formats"),
    ("paper import endnote.enw", "EndNote's tags are written and not read"),
    ("paper import zeros.bib", "zeros.bib"),
    ("paper import void", "void"),
    ("paper import poem.txt --format word", "no format 'word'"),
    ("paper search units --rank magic", "magic"),
    ("paper search units --limit 0", "--limit"),
    ("paper cite 1806.02891 --style word", "--style"),
    ("paper export 1806.02891 --format word", "--format"),
    ("paper path 1806.02891", "Missing argument"),
    ("paper path 1806.02891 nobody-2018", "nobody-2018"),
    ("paper merge 1806.02891 1806.02891 --because same", "1806.02891"),
    ("paper merge 1806.02891 1803.06959", "--because"),
    ("paper unmerge --merge 999", "999"),
    ("paper terms nobody-2018", "nobody-2018"),
    ("paper network nobody-2018", "nobody-2018"),
    ("serve --port 70000", "--port"),
]


def sampled() -> Iterator[object]:
    """Take every eighth case in ``make test``, and all of them in ``make thorough``."""
    for number, case in enumerate(CASES):
        marks = [pytest.mark.thorough] if number % 8 else []
        yield pytest.param(*case, marks=marks, id=case[0].replace(" ", "_")[:70])


def test_the_corpus_is_large_and_says_nothing_twice() -> None:
    assert len(CASES) >= 150
    assert len({typed for typed, _ in CASES}) == len(CASES)


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.parametrize(("arguments", "words"), [*sampled()])
def test_what_cannot_be_taken_is_refused_in_one_message_and_leaves_nothing(
    typed: Typed, brought: Path, monkeypatch: pytest.MonkeyPatch, arguments: str, words: str
) -> None:
    monkeypatch.chdir(brought)
    monkeypatch.syspath_prepend(str(brought))
    before = sorted(str(path) for path in brought.rglob("*") if "__pycache__" not in path.parts)
    code, out, err = typed(*arguments.split(" "))
    assert (code, out) == (main.REFUSED, ""), err
    assert words in " ".join(err.split()), err
    assert "Traceback" not in err
    assert sorted(str(path) for path in brought.rglob("*") if "__pycache__" not in path.parts) == before
