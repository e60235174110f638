"""The command of experimenters: minimize a model in every cell of a phase diagram."""

from pathlib import Path
from typing import Annotated

import typer

from .._signals import held_back
from .base import app, command, fail


@app.command()
@command("sweeps")
def sweep(
    config: Annotated[Path, typer.Option(help="YAML or JSON file that says what to compute.")],
    out: Annotated[Path, typer.Option(help="Zarr store for the result, for example relu.zarr.")],
    device: Annotated[
        str, typer.Option(help="Where torch computes: auto, cpu, cuda, mps.")
    ] = "auto",
    workers: Annotated[int, typer.Option(help="Processes on this machine.")] = 1,
    scheduler: Annotated[
        str | None, typer.Option(help="Dask cluster instead, for example tcp://10.0.0.1:8786.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bar.")] = False,
) -> None:
    """Minimize a toy model in every cell of a phase diagram.

    The store appears when the sweep is whole. Interrupted in whatever way, the same command goes
    on where it stopped; on a store that is whole it only checks it.

    \b
    A configuration:
      model: autoencoder            # or computation
      activation: relu              # quadratic, relu, gelu, tanh, abs
      inputs: unit_sparse_uniform   # or sparse_uniform, sparse_normal
      n_features: 6
      n_dims: 3
      importance: {low: 0.01, high: 100, count: 32}   # or a list of numbers
      probability: {low: 0.01, high: 1, count: 32}
      n_starts: 4                   # random starts in each cell
    Also: max_rounds, seed, n_points, max_iterations, tolerance, dtype.

    Example: feature-capacity sweep --config relu.yml --out relu.zarr
    """  # noqa: D301 - click wants the backspace itself, to leave the lines alone
    from ..sweeps.config import SweepConfig, SweepError
    from ..sweeps.run import run_sweep

    options = {"device": device, "workers": workers, "scheduler": scheduler}
    try:
        data = run_sweep(SweepConfig.from_file(config), out, progress=not quiet, **options)
    except SweepError as error:
        raise fail(error, 1) from None
    except KeyboardInterrupt:
        raise fail("interrupted; the same command goes on where it stopped", 130) from None
    rows, cells = data.loss.shape
    with held_back():
        settled = float(data.converged.mean())
    typer.echo(f"{out}: {rows} x {cells} cells, {100 * settled:.1f} % of them converged")
