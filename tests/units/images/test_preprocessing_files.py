import json
from dataclasses import replace

import pytest

from lenslab.units.errors import PreprocessingError
from lenslab.units.images.preprocessing import Preprocessing
from lenslab.units.images.preprocessing_files import read_preprocessing

IMAGENET = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}
MEAN, SD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

CONVNEXT = {  # as it lies beside microsoft/resnet-50
    "crop_pct": 0.875,
    "do_normalize": True,
    "do_resize": True,
    "feature_extractor_type": "ConvNextFeatureExtractor",
    **IMAGENET,
    "resample": 3,
    "size": 224,
}
CLIP = {
    "crop_size": {"height": 224, "width": 224},
    "do_center_crop": True,
    "do_convert_rgb": True,
    "do_normalize": True,
    "do_rescale": True,
    "do_resize": True,
    **IMAGENET,
    "image_processor_type": "CLIPImageProcessor",
    "resample": 3,
    "rescale_factor": 0.00392156862745098,
    "size": {"shortest_edge": 256},
}
VIT = {"do_normalize": True, "do_resize": True, **IMAGENET, "resample": 2, "size": {"height": 224, "width": 192}}
TIMM = {
    "input_size": [3, 224, 224],
    "interpolation": "bicubic",
    "crop_pct": 0.95,
    "crop_mode": "center",
    "mean": list(MEAN),
    "std": list(SD),
    "num_classes": 1000,
    "first_conv": "conv1",
}


@pytest.fixture
def read(tmp_path):
    def read_document(document) -> Preprocessing:
        path = tmp_path / "config.json"
        path.write_text(document if isinstance(document, str) else json.dumps(document))
        return read_preprocessing(path)

    return read_document


BICUBIC = Preprocessing(3, (224, 224), MEAN, SD, filter="bicubic", shorter=256)


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (BICUBIC.to_json(), BICUBIC),
        (CLIP, BICUBIC),
        (CONVNEXT, BICUBIC),
        (
            CONVNEXT | {"size": {"shortest_edge": 384}},
            replace(BICUBIC, size=(384,) * 2, resizing="stretch", shorter=None),
        ),
        (VIT, Preprocessing(3, (224, 192), MEAN, SD, resizing="stretch")),
        (
            VIT | {"size": 224, "image_processor_type": "ViTImageProcessor"},
            Preprocessing(3, (224,) * 2, MEAN, SD, resizing="stretch"),
        ),
        (VIT | {"do_resize": False}, Preprocessing(3, None, MEAN, SD)),
        (VIT | {"do_normalize": False}, Preprocessing(3, (224, 192), (0.0,) * 3, (1.0,) * 3, resizing="stretch")),
        ({"architecture": "resnet50", "num_classes": 1000, "pretrained_cfg": TIMM}, replace(BICUBIC, shorter=235)),
        (TIMM, replace(BICUBIC, shorter=235)),
        (TIMM | {"crop_pct": 1.0, "crop_mode": "squash"}, replace(BICUBIC, resizing="stretch", shorter=None)),
        (
            TIMM | {"input_size": [1, 28, 28], "mean": [0.5], "std": [0.25], "crop_pct": 1},
            Preprocessing(1, (28, 28), (0.5,), (0.25,), filter="bicubic", shorter=28),
        ),
        ({key: TIMM[key] for key in ("input_size", "mean", "std")}, BICUBIC),
    ],
)
def test_every_kind_of_file_is_understood(read, document, expected):
    assert read(document) == expected


@pytest.mark.parametrize(
    ("stated", "scale"),
    [
        ({"do_rescale": False, "image_mean": [127.5] * 3, "image_std": [51.0] * 3}, 1.0),
        ({"rescale_factor": 2 / 255, "image_mean": [1.0] * 3, "image_std": [0.4] * 3}, 2 / 255),
        ({"rescale_factor": 0.003921568, "image_mean": [0.5] * 3, "image_std": [0.2] * 3}, 1 / 255),
    ],
)
def test_another_scale_is_put_into_mean_and_deviation(read, stated, scale):
    made = read(VIT | stated)
    for pixel in (0, 255):
        theirs = (pixel * scale - stated["image_mean"][0]) / stated["image_std"][0]
        assert (pixel / 255 - made.mean[0]) / made.sd[0] == pytest.approx(theirs)
    assert made.mean == (0.5,) * 3


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (CLIP | {"do_pad": True, "pad_size": 8}, "config.json asks for do_pad, pad_size, which is not done here"),
        (CLIP | {"do_flip_channel_order": True}, "asks for do_flip_channel_order"),
        (CLIP | {"crop_size": 512}, "shorter side of 256 pixels does not cover 512x512"),
        (CLIP | {"do_center_crop": False}, "shortest edge of 256 without cutting"),
        (CLIP | {"do_resize": False}, "cutting to .* without resizing"),
        (CLIP | {"size": {"longest_edge": 256}}, "longest_edge.* is not done here"),
        (CLIP | {"size": {"height": 256, "width": 256}}, "stretching to .* and then cutting"),
        (CLIP | {"size": 256}, "whether CLIPImageProcessor takes size 256 for the shorter side is not stated"),
        (CLIP | {"size": {"shortest_edge": "256"}}, "size holds '256'; give whole pixels"),
        (CLIP | {"resample": 9}, "resample 9 is not done here"),
        (CLIP | {"image_std": None}, "image_std is None; expected a list of numbers"),
        (CLIP | {"image_std": [1.0]}, "sd has 1 value"),
        (CLIP | {"rescale_factor": 0}, "rescale_factor is 0"),
        (CONVNEXT | {"crop_pct": 2}, "crop_pct is 2"),
        (TIMM | {"crop_mode": "border"}, "crop_mode 'border'"),
        (TIMM | {"crop_mode": "squash"}, "crop_mode 'squash' with crop_pct 0.95"),
        (TIMM | {"input_size": [3, 224, 192]}, "no square"),
        (TIMM | {"interpolation": "random"}, "interpolation 'random' is not done here; there are nearest"),
        (TIMM | {"input_size": [224, 224]}, r"input_size is \[224, 224\]; expected a list of 3 numbers"),
        (TIMM | {"mean": None}, "mean is None; expected a list"),
        ({"pretrained_cfg": "a1_in1k"}, "pretrained_cfg is no object"),
        (BICUBIC.to_json() | {"std": [1]}, "states std; the fields are channels, filter"),
        ({"channels": 3}, "not preprocessing"),
        ({"architectures": ["ResNet"]}, "is no preprocessing that is known here; give Transformers'"),
        ("[1]", "is no preprocessing"),
        ("{", "is not JSON"),
    ],
)
def test_what_is_not_done_is_refused_by_name(read, document, message):
    with pytest.raises(PreprocessingError, match=message):
        read(document)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(PreprocessingError, match=r"none\.json cannot be read: No such file"):
        read_preprocessing(tmp_path / "none.json")
