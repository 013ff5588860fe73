"""What every part of the document is made of."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

Evidence = Literal["measured", "emulated", "estimated"]


class Part(BaseModel):
    """A part of the document: nothing that the schema does not name."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
