import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from lenslab.units.errors import PreprocessingError
from lenslab.units.images.preprocessing import FILTERS, Preprocessing

IMAGES = np.random.default_rng(4).integers(0, 256, (9, 12, 10, 3), dtype=np.uint8)
COLOUR = Preprocessing(3, None, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


def test_a_pixel_is_divided_by_255_and_normalised_per_channel():
    prepared = COLOUR(IMAGES)
    assert prepared.dtype == torch.float32
    assert prepared.is_contiguous()
    expected = (np.moveaxis(IMAGES, 3, 1) / 255 - np.reshape(COLOUR.mean, (3, 1, 1))) / np.reshape(COLOUR.sd, (3, 1, 1))
    np.testing.assert_allclose(prepared.numpy(), expected, rtol=0, atol=1e-6)


def test_it_gives_the_bits_that_the_usual_tensor_transform_gives():
    tensor = torch.from_numpy(IMAGES).permute(0, 3, 1, 2).to(torch.float32).div(255)
    mean, sd = (torch.tensor(values).view(3, 1, 1) for values in (COLOUR.mean, COLOUR.sd))
    assert torch.equal(COLOUR(IMAGES), tensor.sub(mean).div(sd))


@given(size=st.integers(1, 9), resized=st.booleans(), channels=st.sampled_from([1, 3]))
def test_blocks_of_any_size_give_the_same_bits(size, resized, channels):
    preprocessing = Preprocessing(channels, (7, 7) if resized else None, (0.4,) * channels, (0.3,) * channels)
    parts = [preprocessing(IMAGES[start : start + size]) for start in range(0, len(IMAGES), size)]
    assert torch.equal(torch.cat(parts), preprocessing(list(IMAGES)))


def test_images_of_the_declared_size_are_left_alone():
    assert torch.equal(COLOUR.override(size=(12, 10))(IMAGES), COLOUR(IMAGES))


def test_shrinking_averages_instead_of_picking():
    checks = (np.indices((8, 8)).sum(0) % 2 * 255).astype(np.uint8)[None, :, :, None]
    shrunk = Preprocessing(1, (2, 2), (0.0,), (1.0,))(checks)
    assert (shrunk - 0.5).abs().max() < 0.01


def test_images_of_other_proportions_keep_them_and_lose_the_margins():
    wide = np.random.default_rng(5).integers(0, 256, (4, 8), dtype=np.uint8)
    halved = np.asarray(Image.fromarray(wide).resize((4, 2), Image.Resampling.BILINEAR))
    prepared = Preprocessing(1, (2, 2), (0.0,), (1.0,))([wide[..., None]])
    np.testing.assert_array_equal((prepared[0, 0].numpy() * 255).round(), halved[:, 1:3])


def test_sizes_may_differ_where_one_is_declared_and_not_otherwise():
    mixed = [IMAGES[0], IMAGES[1][:, :5]]
    assert COLOUR.override(size=(6, 6))(mixed).shape == (2, 3, 6, 6)
    with pytest.raises(PreprocessingError, match=r"differ in size \(12x5, 12x10\) and no size is declared"):
        COLOUR(mixed)


def test_grey_becomes_three_equal_channels():
    prepared = Preprocessing(3, None, (0.0,) * 3, (1.0,) * 3)(IMAGES[..., :1])
    assert torch.equal(prepared[:, 0], prepared[:, 2])
    assert torch.equal(prepared[:, :1], Preprocessing(1, None, (0.0,), (1.0,))(IMAGES[..., :1]))


def test_colours_become_the_grey_of_pillow():
    prepared = Preprocessing(1, None, (0.0,), (1.0,))(IMAGES[:1])
    expected = np.asarray(Image.fromarray(IMAGES[0]).convert("L"))
    np.testing.assert_array_equal((prepared[0, 0].numpy() * 255).round(), expected)


def test_no_images_give_an_empty_tensor():
    assert COLOUR.override(size=(6, 5))([]).shape == (0, 3, 6, 5)


def test_an_image_with_other_channels_is_refused():
    with pytest.raises(PreprocessingError, match=r"shape \(4, 4, 2\)"):
        COLOUR([np.zeros((4, 4, 2), np.uint8)])


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"channels": 4}, "4 channels asked for"),
        ({"size": (0, 5)}, "size"),
        ({"mean": (0.5, 0.5)}, "mean has 2 value"),
        ({"sd": (1.0,)}, "sd has 1 value"),
        ({"sd": (1.0, 0.0, 1.0)}, "above 0"),
        ({"mean": (float("nan"), 0.0, 0.0)}, "not finite"),
        ({"mean": (123.675, 116.28, 103.53)}, r"none of pixels from 0 to 1; .* divided by 255: 0\.485, 0\.456, 0\.406"),
        ({"sd": (58.395, 57.12, 57.375)}, r"none of pixels from 0 to 1; .* divided by 255: 0\.229, 0\.224, 0\.225"),
        ({"mean": (-0.485, 0.0, 0.0)}, r"mean .* is none of pixels from 0 to 1$"),
    ],
)
def test_fields_out_of_range_are_refused(fields, message):
    with pytest.raises(PreprocessingError, match=message):
        Preprocessing(**{"channels": 3, "size": None, "mean": (0.0,) * 3, "sd": (1.0,) * 3, **fields})


def test_overriding_replaces_what_is_given_and_one_value_stands_for_all():
    other = COLOUR.override(mean=[0.5])
    assert (other.mean, other.sd, other.size) == ((0.5, 0.5, 0.5), COLOUR.sd, None)
    with pytest.raises(PreprocessingError, match="sd has 2 value"):
        COLOUR.override(sd=[1, 2])


@given(
    st.sampled_from([1, 3]).flatmap(
        lambda channels: st.builds(
            Preprocessing,
            st.just(channels),
            st.none() | st.tuples(st.integers(1, 500), st.integers(1, 500)),
            st.tuples(*[st.floats(0, 1)] * channels),
            st.tuples(*[st.floats(0.01, 1)] * channels),
        )
    )
)
def test_json_keeps_every_field(preprocessing):
    assert Preprocessing.from_json(json.loads(json.dumps(preprocessing.to_json()))) == preprocessing


@pytest.mark.parametrize("document", [{}, {"channels": "many", "size": None, "mean": [], "sd": []}])
def test_json_of_another_kind_is_refused(document):
    with pytest.raises(PreprocessingError, match="not preprocessing"):
        Preprocessing.from_json(document)


def usual(picture: np.ndarray, shorter: int, side: int, method) -> np.ndarray:
    """The usual pipeline by hand: the shorter side scaled, the longer cut to whole pixels, the middle kept."""
    height, width = picture.shape[:2]
    scaled = (shorter, int(shorter * height / width)) if width <= height else (int(shorter * width / height), shorter)
    image = Image.fromarray(picture).resize(scaled, method)
    left, top = round((image.width - side) / 2.0), round((image.height - side) / 2.0)
    return np.asarray(image.crop((left, top, left + side, top + side)))


def shown(prepared: torch.Tensor) -> np.ndarray:
    return (prepared.numpy() * 255).round().astype(np.uint8).transpose(0, 2, 3, 1)


PLAIN = Preprocessing(3, (16, 16), (0.0,) * 3, (1.0,) * 3)


@given(height=st.integers(3, 60), width=st.integers(3, 60), shorter=st.integers(16, 30))
def test_a_shorter_side_is_scaled_and_the_middle_kept(height, width, shorter):
    picture = np.random.default_rng(height).integers(0, 256, (height, width, 3), dtype=np.uint8)
    prepared = replace(PLAIN, shorter=shorter, filter="bicubic")([picture])
    np.testing.assert_array_equal(shown(prepared)[0], usual(picture, shorter, 16, Image.Resampling.BICUBIC))


def test_a_shorter_side_is_scaled_also_where_the_size_is_there_already():
    picture = np.random.default_rng(1).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    assert not (shown(replace(PLAIN, shorter=20)([picture]))[0] == picture).all()
    assert (shown(replace(PLAIN, shorter=16)([picture]))[0] == picture).all()


@pytest.mark.parametrize("name", FILTERS)
def test_every_filter_is_that_of_pillow(name):
    prepared = shown(replace(PLAIN, filter=name, resizing="stretch")(IMAGES))
    for before, after in zip(IMAGES, prepared, strict=True):
        expected = Image.fromarray(before).resize((16, 16), Image.Resampling[name.upper()])
        np.testing.assert_array_equal(after, np.asarray(expected))


def test_the_size_takes_the_shorter_side_along():
    photographs = replace(PLAIN, size=(224, 224), shorter=256)
    assert photographs.override(size=(112, 112)).shorter == 128
    assert photographs.override(size=(256, 224)).shorter == 293
    assert photographs.override(mean=[0.5]).shorter == 256
    assert PLAIN.override(size=(8, 8)).shorter is None


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"filter": "cubic"}, "no filter named 'cubic'; there are nearest"),
        ({"resizing": "pad"}, "no way to resize named 'pad'; there are cover, stretch"),
        ({"shorter": 15}, "15 pixels does not cover 16x16; give 16 or more"),
        ({"shorter": 20, "size": None}, "needs a size"),
        ({"shorter": 20, "resizing": "stretch"}, "the resizing cover"),
    ],
)
def test_ways_of_resizing_that_do_not_exist_are_refused(fields, message):
    with pytest.raises(PreprocessingError, match=message):
        replace(PLAIN, **fields)


def test_json_states_only_what_is_not_the_default():
    assert PLAIN.to_json() == {"channels": 3, "size": [16, 16], "mean": [0.0] * 3, "sd": [1.0] * 3}
    other = replace(PLAIN, filter="lanczos", shorter=18)
    assert other.to_json() == PLAIN.to_json() | {"filter": "lanczos", "shorter": 18}
    for each in (other, replace(PLAIN, resizing="stretch")):
        assert Preprocessing.from_json(json.loads(json.dumps(each.to_json()))) == each
