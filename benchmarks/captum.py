"""The exact engine against Captum's LayerFeatureAblation: the same predictions change, near ties apart.

Captum is an independent oracle, for zero replacement at the outputs of modules that are called once. It keeps a layer's
output by reference, so activations are not in place here, and networks that add in place are left out. It decides in
float32; pairs whose margin is a near tie may differ, and those that do are listed. The exit code is 1 where any other
pair differs.

    python -m benchmarks.captum --network small --limit 100
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from benchmarks.networks import make
from benchmarks.pictures import measured_and_fit, size_of
from benchmarks.reporting import write
from lenslab import units
from lenslab.units.engine.full_float32 import full_precision
from lenslab.units.engine.near_ties import NEAR_TIE, decide
from lenslab.units.engine.sites import Site, select

NETWORKS = ("small", "concatenation", "leaky")


def flips(module: nn.Module, inputs: Tensor, site: Site, *, at_once: int = 4) -> NDArray[np.bool_]:
    """Ask Captum which predictions change when each unit of a module's output is 0.

    Args:
        module: a classifier without operations in place.
        inputs: preprocessed images.
        site: the output of a module that is called once.
        at_once: units per evaluation.

    Returns:
        bool ``[images, units]``.
    """
    from captum.attr import LayerFeatureAblation

    before = module(inputs).argmax(dim=1)

    def unchanged(x: Tensor, classes: Tensor) -> Tensor:
        return (module(x).argmax(dim=1) == classes).float()

    mask = torch.arange(site.units).view(1, -1, *[1] * (len(site.shape) - 1))
    changed = LayerFeatureAblation(unchanged, module.get_submodule(site.name)).attribute(
        inputs,
        layer_baselines=0.0,
        additional_forward_args=(before,),
        layer_mask=mask,
        perturbations_per_eval=at_once,
    )
    found: NDArray[np.bool_] = (changed.flatten(2)[:, :, 0] if changed.dim() > 2 else changed).numpy() != 0
    return found


def margins(module: nn.Module, inputs: Tensor, site: str, pairs: Sequence[tuple[int, int]]) -> list[float]:
    """Measure how near a tie each pair (unit, image) is, silenced or not: the smaller top-two margin of the two.

    Returns:
        Shares of the logits' scale.
    """
    found = []
    for unit, image in pairs:

        def silence(_layer: nn.Module, _inputs: object, output: Tensor, unit: int = unit) -> Tensor:
            return output.index_fill(1, torch.tensor([unit]), 0.0)

        alone = inputs[image : image + 1]
        clean = decide(module(alone)).margin
        handle = module.get_submodule(site).register_forward_hook(silence)
        found.append(float(torch.minimum(clean, decide(module(alone)).margin)))
        handle.remove()
    return found


def compare(network: units.Network, images: units.Images, sites: Sequence[Site]) -> dict[str, Any]:
    """Count what Captum and lenslab do not share.

    Args:
        network: its activations are made to work out of place, which changes no value.
        images: the images.
        sites: outputs of modules that are called once.
    """
    for layer in network.module.modules():
        if hasattr(layer, "inplace"):
            layer.inplace = False
    inputs = torch.cat([network.preprocessing(block.pixels) for block in images.blocks(64)])
    started = time.perf_counter()
    run = units.ablate(network, images, sites=[site.name for site in sites])
    ours_took, started = time.perf_counter() - started, time.perf_counter()
    differing_pairs, row = [], {"sites": len(sites), "pairs": 0, "flips": 0, "near_ties_differing": 0, "differences": 0}
    with torch.inference_mode(), full_precision():
        for site in sites:
            theirs = flips(network.module, inputs, site)
            ours = np.zeros_like(theirs)
            here = run.flips[run.flips["site"] == site.name]
            ours[here["image"], here["unit"]] = True
            differing = [(int(unit), int(image)) for image, unit in np.argwhere(ours != theirs)]
            for (unit, image), margin in zip(
                differing, margins(network.module, inputs, site.name, differing), strict=True
            ):
                near = margin < NEAR_TIE
                row["near_ties_differing" if near else "differences"] += 1
                differing_pairs.append(
                    {"site": site.name, "unit": unit, "image": image, "margin": margin, "near_tie": near}
                )
            row["pairs"] += theirs.size
            row["flips"] += int(theirs.sum())
    seconds = {"captum": round(time.perf_counter() - started, 2), "lenslab": round(ours_took, 2)}
    return {**row, "seconds": seconds, "differing": differing_pairs}


def main() -> None:
    """Compare, print a table, write a record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", action="append", help=f"repeatable; default: {', '.join(NETWORKS)}")
    parser.add_argument("--weights", help="a file, for a single --network")
    parser.add_argument("--images", help="whatever lenslab opens; default: digits or textures that a seed draws")
    parser.add_argument("--limit", type=int, default=32, help="images that are measured")
    parser.add_argument("--fit", type=int, default=200, help="other images, that last layers are fitted on")
    parser.add_argument("--size", type=int, default=64, help="pixels a side of larger networks; 0: the network's own")
    parser.add_argument("--sites", action="append", help="globs; repeatable; default: first, middle, last default site")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(f"{'network':20}{'sites':>6}{'pairs':>9}{'flips':>8}{'near ties differ':>18}{'others differ':>15}")
    rows = []
    for name in options.network or NETWORKS:
        size = size_of(name, options.size)
        images, fit = measured_and_fit(name, options.images, options.limit, options.fit, size)
        network = make(name, fit, size=size, weights=options.weights)
        traced = units.trace(network)
        modules = dict(network.module.named_modules())
        chosen = [site for site in select(traced.sites.values(), options.sites) if site.name in modules]
        if not options.sites:
            chosen = list(dict.fromkeys((chosen[0], chosen[len(chosen) // 2], chosen[-1])))
        row = {"network": name, **compare(network, images, chosen)}
        rows.append(row)
        print(
            f"{name:20}{row['sites']:6}{row['pairs']:9,}{row['flips']:8,}{row['near_ties_differing']:18,}"
            f"{row['differences']:15,}",
            flush=True,
        )
        for pair in row["differing"]:
            print(f"  {pair['site']} unit {pair['unit']} image {pair['image']}: margin {pair['margin']:.1e}")
    write(
        "captum",
        {
            "images": Path(options.images).name if options.images else "digits or textures",
            "limit": options.limit,
            "rows": rows,
        },
    )
    if not all(row["flips"] for row in rows):
        sys.exit("nothing flipped: equal answers would prove nothing")
    sys.exit(1 if any(row["differences"] for row in rows) else 0)


if __name__ == "__main__":
    main()
