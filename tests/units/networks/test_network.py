import pytest
import torch
from torch import nn

from lenslab.units.errors import PreprocessingError, TrainingModeError, UnsupportedNetworkError
from lenslab.units.images.preprocessing import Preprocessing
from lenslab.units.networks import Network, network_of

GREY = Preprocessing(1, (8, 8), (0.0,), (1.0,))


def classifier(classes: int = 3) -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(64, classes)).eval()


def test_the_number_of_classes_is_that_of_the_logits():
    network = network_of(classifier(7), GREY, class_names=list("abcdefg"))
    assert (network.classes, network.name, network.class_names) == (7, "Sequential", tuple("abcdefg"))


def test_a_network_in_training_mode_is_refused_and_not_switched():
    module = classifier().train()
    with pytest.raises(TrainingModeError, match=r"Sequential and 3 more.*call \.eval\(\)"):
        network_of(module, GREY, name="mine")
    assert module.training


def test_one_submodule_in_training_mode_is_named():
    module = classifier()
    module[1].train()
    with pytest.raises(TrainingModeError, match=r"mine is in training mode \(1\): "):
        Network("mine", module, GREY, classes=3)
    assert [part.training for part in module] == [False, True, False]


def test_asking_for_the_classes_changes_nothing():
    module = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(72, 2)).eval()
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    state = torch.get_rng_state()
    network_of(module, GREY)
    assert all(torch.equal(before[name], tensor) for name, tensor in module.state_dict().items())
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize(
    "module", [nn.Flatten(0), nn.Identity(), nn.Sequential(nn.Flatten(), nn.Linear(64, 1)), nn.LSTM(8, 8)]
)
def test_what_does_not_answer_with_logits_is_refused(module):
    with pytest.raises(UnsupportedNetworkError):
        network_of(module.eval(), GREY)


def test_a_network_that_takes_other_images_is_told_with_its_own_complaint():
    with pytest.raises(UnsupportedNetworkError, match=r"does not take images \[1, 3, 8, 8\]: RuntimeError: .*--size"):
        network_of(classifier(), Preprocessing(3, (8, 8), (0.0,) * 3, (1.0,) * 3))


def test_an_unknown_size_is_asked_for():
    with pytest.raises(PreprocessingError, match="give one with --size"):
        network_of(classifier(), Preprocessing(1, None, (0.0,), (1.0,)))


def test_class_names_have_to_be_as_many_as_the_logits():
    with pytest.raises(UnsupportedNetworkError, match="3 logits and 2 class names"):
        network_of(classifier(), GREY, class_names=["a", "b"])
