"""Curves of a training for TensorBoard: event files, of which every sitting of a training adds one to its folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from torch import nn

from toolchain.datasets import Subset
from toolchain.errors import InputError, ToolMissingError
from toolchain.network.quantized import QuantizedNetwork
from toolchain.network.spiking import SpikingNetwork
from toolchain.training.activity import spike_rate
from toolchain.training.course import Course, Epoch
from toolchain.training.objective import Objective


class EventFiles:
    """Writes scalars into ``folder`` behind each epoch: ``PHASE/WHAT`` at the phase's epoch.

    What: ``loss``, ``validation_MEASURE`` (an accuracy as a share, or R2), ``images_a_second``, ``learning_rate``, and
    of spiking networks ``spike_rate`` (``activity.SpikeRate``) on validation images. ``anew``: what earlier trainings
    left in the folder is removed.

    Raises ``ToolMissingError`` if TensorBoard's package is not installed, ``InputError`` if the folder cannot be
    written.
    """

    def __init__(self, folder: Path, validation: Subset, measure: str, *, anew: bool) -> None:
        require_tensorboard()
        from torch.utils.tensorboard import SummaryWriter

        self.folder, self.validation, self.measure = folder, validation, measure
        self._rate: float | None = None
        try:
            if anew:
                for file in folder.glob("events.out.tfevents.*"):
                    file.unlink()
            self._writer = SummaryWriter(str(folder))
        except OSError as error:
            raise self._unwritable(error) from error

    def judged(self, network: nn.Module) -> None:
        """Take the spike rate of ``network``, in evaluation mode, for the epoch that is about to be told."""
        self._rate = None
        if isinstance(network, SpikingNetwork | QuantizedNetwork):
            self._rate = spike_rate(network, self.validation)

    def epoch_ended(self, course: Course, epoch: Epoch) -> None:
        """Write what is known of ``epoch``; it is on disk when this returns."""
        scalars = {
            "loss": epoch.loss,
            f"validation_{self.measure}": epoch.quality,
            "images_a_second": epoch.images_a_second,
            "learning_rate": course.phase.optimizer.param_groups[0]["lr"],
            "spike_rate": self._rate,
        }
        try:
            for name, value in scalars.items():
                if value is not None:
                    self._writer.add_scalar(f"{epoch.phase}/{name}", value, epoch.number)
            self._writer.flush()
        except OSError as error:
            raise self._unwritable(error) from error

    def close(self) -> None:
        """End the file and the thread that writes it."""
        try:
            self._writer.close()
        except OSError as error:
            raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> InputError:
        return InputError(
            f"cannot write {self.folder}: {error.strerror or error}; go on without --tensorboard"
        )


@contextmanager
def curves(
    folder: Path | None, validation: Subset, objective: Objective, *, anew: bool
) -> Iterator[EventFiles | None]:
    """``EventFiles`` in ``folder``, closed behind; None where there is none."""
    if folder is None:
        yield None
        return
    with closing(EventFiles(folder, validation, objective.measure.name, anew=anew)) as found:
        yield found


def require_tensorboard() -> None:
    """Raise ``ToolMissingError`` if event files cannot be written here."""
    try:
        import torch.utils.tensorboard  # noqa: F401
    except ImportError as error:
        raise ToolMissingError(
            "--tensorboard needs its package: pip install 'spikenas-deploy[tensorboard]'"
        ) from error
