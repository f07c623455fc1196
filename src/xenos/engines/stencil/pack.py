"""What a guest and a host need to run together, made once and kept as data: runtime image, stencils, constants."""

from __future__ import annotations

import marshal
import os

from xenos.engines.runtime.native import Image

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from xenos.engines.stencil.translator import Translator
    from xenos.isa.guest import Guest


class Pack:
    """The data for one guest on one host. Stencils are read, and the guest's description imported, when code is translated."""

    def __init__(self, name: str, head: dict[str, Any], stencils: Callable[[], Any]) -> None:
        self.name = name
        self.image = Image(head["code"], head["data"], head["offsets"])
        self.constants: bytes = head["constants"]
        self.alignment: int = head["alignment"]
        self._short: tuple[int, int] = head["short"]
        self._stencils = stencils

    def is_long(self, half: int) -> bool:
        """Whether an instruction whose first 16 bits these are has 32."""
        return half & self._short[0] == self._short[1]

    def guest(self) -> Guest:
        """The guest's full description."""
        from xenos.isa import find_guest

        return find_guest(self.name)

    def translator(self) -> Translator:
        """A translator with its own memory of words."""
        from xenos.engines.hosts import host
        from xenos.engines.stencil.placing import Placer
        from xenos.engines.stencil.translator import Translator

        stencils, special, slow = self._stencils()
        return Translator(Placer(self.guest(), host(), stencils, special, slow))


def build(name: str, level: int, progress: Callable[[int, int], None] | None = None) -> tuple[dict[str, Any], Any]:
    """Make the data: (head, stencils). Needs llvmlite, and some seconds."""
    from xenos.engines.hosts import host, host_floats, host_runtime
    from xenos.engines.runtime.native import link
    from xenos.engines.runtime.text import runtime
    from xenos.engines.stencil.library import Builder
    from xenos.engines.stencil.placing import Placer
    from xenos.isa import find_guest
    from xenos.memory.flat import BASE

    form = find_guest(name)
    builder = Builder(form, host(), host_floats(level), level, BASE)
    builder.build(progress=progress)
    special = builder.special()
    # Each stencil is packed by itself: a program uses a few hundred of the thousands.
    packed = {"/".join(key): marshal.dumps(one) for key, one in builder.stencils.items()}
    stencils = (packed, special, builder.slow)
    homes = Placer(form, host(), *stencils).chooser.homes()
    text = runtime(builder.convention, homes, form.alignment, host_runtime())
    image = link(builder.compiler.compile(text), host_runtime().RELATIVE)
    head = {"code": image.code, "data": image.data, "offsets": image.offsets, "constants": bytes(builder.constants),
            "alignment": form.alignment, "short": form.instructions().short or (0, 0)}
    return head, stencils


def load(name: str, folder: str, level: int, progress: Callable[[int, int], None] | None = None) -> Pack:
    """The pack kept in `folder`, made first if it is not there."""
    head_file, body_file = os.path.join(folder, "head"), os.path.join(folder, "stencils")
    try:
        with open(head_file, "rb") as file:
            head = marshal.load(file)
    except (OSError, ValueError, EOFError, TypeError):
        head, stencils = build(name, level, progress)
        os.makedirs(folder, exist_ok=True)
        for path, data in ((body_file, stencils), (head_file, head)):
            with open(f"{path}.{os.getpid()}", "wb") as file:
                marshal.dump(data, file)
            os.replace(f"{path}.{os.getpid()}", path)

    def read() -> Any:
        with open(body_file, "rb") as file:
            return marshal.load(file)

    return Pack(name, head, read)
