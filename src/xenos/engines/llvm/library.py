"""The few of llvmlite's calls that compiling takes, made without its Python.

A worker compiles a few small regions and is gone: to import `llvmlite.binding` would take it twice as long as to load LLVM. What is
here has the names and does the same, for versions of llvmlite whose library is known to take these calls; `binding` gives
llvmlite's own for any other.
"""

from __future__ import annotations

import ctypes
from os import path
from typing import Any

_KNOWN = ("0.50.",)
_TEXT, _NUMBER, _POINTER = ctypes.c_char_p, ctypes.c_int, ctypes.c_void_p
# Name, after `LLVMPY_` -> what is given back and what is taken; those that are not here do neither.
_CALLS: dict[str, tuple[Any, ...]] = {
    "SetCommandLine": (None, _TEXT, _TEXT),
    "GetTargetFromTriple": (_POINTER, _TEXT, _POINTER),
    "CreateTargetMachine": (_POINTER, _POINTER, _TEXT, _TEXT, _TEXT, _NUMBER, _TEXT, _TEXT, _NUMBER, _NUMBER, _TEXT),
    "TargetMachineEmitToMemory": (_POINTER, _POINTER, _POINTER, _NUMBER, _POINTER),
    "CreateTargetMachineData": (_POINTER, _POINTER), "CopyStringRepOfTargetData": (None, _POINTER, _POINTER),
    "DisposeTargetData": (None, _POINTER),
    "GetBufferStart": (_POINTER, _POINTER), "GetBufferSize": (ctypes.c_size_t, _POINTER),
    "DisposeMemoryBuffer": (None, _POINTER), "DisposeString": (None, _POINTER),
    "ContextCreate": (_POINTER,), "ContextDispose": (None, _POINTER),
    "ParseAssembly": (_POINTER, _POINTER, _TEXT, _POINTER), "VerifyModule": (ctypes.c_bool, _POINTER, _POINTER),
    "DisposeModule": (None, _POINTER),
    "CreatePipelineTuningOptions": (_POINTER,), "DisposePipelineTuningOptions": (None, _POINTER),
    "PTOSetInlinerThreshold": (None, _POINTER, _NUMBER),
    "PTOSetLoopVectorization": (None, _POINTER, ctypes.c_bool), "PTOSetSLPVectorization": (None, _POINTER, ctypes.c_bool),
    "CreatePassBuilder": (_POINTER, _POINTER, _POINTER), "DisposePassBuilder": (None, _POINTER),
    "CreateNewModulePassManager": (_POINTER,), "DisposeNewModulePassManger": (None, _POINTER),
    "buildPerModuleDefaultPipeline": (_POINTER, _POINTER, _NUMBER),
    "RunNewModulePassManager": (None, _POINTER, _POINTER, _POINTER),
}


def binding() -> Any:
    """What stands for `llvmlite.binding`. ImportError without llvmlite."""
    import llvmlite

    file = path.join(path.dirname(llvmlite.__file__), "binding", "libllvmlite.so")
    if llvmlite.__version__.startswith(_KNOWN) and path.exists(file):
        return Library(ctypes.CDLL(file))
    import llvmlite.binding

    return llvmlite.binding


class Library:
    """Stands for the module."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self._library = library
        self.Target: Any = self

    def __getattr__(self, name: str) -> Any:
        """A call of LLVM's, by the name that it has there."""
        call = self._library["LLVMPY_" + name]
        call.restype, *call.argtypes = _CALLS.get(name, (None,) if name.startswith("Initialize") else (None, _POINTER))
        setattr(self, name, call)
        return call

    def told(self, name: str, *arguments: Any) -> Any:
        """What a call gives back; RuntimeError if it says that something is wrong, at the pointer that it takes last."""
        said = _POINTER()
        given = getattr(self, name)(*arguments, ctypes.byref(said))
        text = ctypes.string_at(said.value).decode() if said.value else ""
        if said.value:
            self.DisposeString(said)
        if text:
            raise RuntimeError(text)
        return given

    def set_option(self, name: str, option: str) -> None:
        """As its tools take them on the command line, for the whole process."""
        self.SetCommandLine(name.encode(), option.encode())

    def initialize_all_targets(self) -> None:
        """Every machine that LLVM knows."""
        for what in ("TargetInfos", "Targets", "TargetMCs"):
            getattr(self, "InitializeAll" + what)()

    def initialize_all_asmprinters(self) -> None:
        """Those of all of them."""
        self.InitializeAllAsmPrinters()

    def initialize_native_asmparser(self) -> None:
        """For inline assembly."""
        self.InitializeNativeAsmParser()

    def from_triple(self, triple: str) -> Target:
        """A machine that LLVM knows."""
        return Target(self, triple)

    def create_context(self) -> int:
        """Where one module is to live."""
        return int(self.ContextCreate())

    def parse_assembly(self, text: str, context: int) -> Module:
        """Text IR, taken in, with its context. RuntimeError if it is none."""
        try:
            return Module(self, self.told("ParseAssembly", context, text.encode()), "DisposeModule", context)
        except RuntimeError:
            self.ContextDispose(context)
            raise

    def create_pipeline_tuning_options(self, speed_level: int = 2) -> Options:
        """What LLVM's own levels heed."""
        made = Options(self, self.CreatePipelineTuningOptions(), "DisposePipelineTuningOptions")
        made.speed_level = speed_level
        return made

    def create_pass_builder(self, machine: Machine, options: Options) -> Builder:
        """Passes for a machine."""
        return Builder(self, self.CreatePassBuilder(machine.at, options.at), "DisposePassBuilder", options)

    def create_new_module_pass_manager(self) -> Passes:
        """None yet."""
        return Passes(self, self.CreateNewModulePassManager(), "DisposeNewModulePassManger")


class Owned:
    """Something of LLVM's, at an address; given back when nobody has it any more, before what it `needs`."""

    def __init__(self, library: Library, at: int, end: str, needs: Any = None) -> None:
        self.library = library
        self.at = at
        self.needs = needs
        self._end = getattr(library, end)

    def __del__(self) -> None:
        self._end(self.at)


class Module(Owned):
    """A module, which has its context alone: what the collector finds at once it ends in any order."""

    def __del__(self) -> None:
        super().__del__()
        self.library.ContextDispose(self.needs)

    def verify(self) -> None:
        """RuntimeError if it makes no sense."""
        self.library.told("VerifyModule", self.at)


class Options(Owned):
    """Settings of LLVM's levels, that are written only."""

    speed_level = 2

    def __setattr__(self, name: str, value: Any) -> None:
        call = {"inlining_threshold": "PTOSetInlinerThreshold", "loop_vectorization": "PTOSetLoopVectorization",
                "slp_vectorization": "PTOSetSLPVectorization"}.get(name)
        if call:
            getattr(self.library, call)(self.at, value)
        else:
            super().__setattr__(name, value)


class Builder(Owned):
    """Makes LLVM's own levels."""

    def getModulePassManager(self) -> Passes:
        """The passes of the level that its options say."""
        made = self.library.buildPerModuleDefaultPipeline(self.at, self.needs.speed_level)
        return Passes(self.library, made, "DisposeNewModulePassManger")


class Passes(Owned):
    """Passes over a module, one after the other."""

    def add_always_inliner_pass(self) -> None:
        """Inline what says that it always is."""
        self.library.module_AddAlwaysInlinerPass(self.at)

    def add_sroa_pass(self) -> None:
        """Variables become values."""
        self.library.module_AddSROAPass(self.at)

    def add_simplify_cfg_pass(self) -> None:
        """Fewer blocks."""
        self.library.module_AddSimplifyCFGPass(self.at)

    def add_instruction_combine_pass(self) -> None:
        """Fewer instructions."""
        self.library.module_AddInstCombinePass(self.at)

    def run(self, module: Module, builder: Builder) -> None:
        """Do all of them."""
        self.library.RunNewModulePassManager(self.at, module.at, builder.at)


class Target:
    """A machine that code can be made for."""

    def __init__(self, library: Library, triple: str) -> None:
        self._library = library
        self._triple = triple.encode()
        self._at = library.told("GetTargetFromTriple", self._triple)

    def create_target_machine(self, cpu: str, features: str, opt: int, reloc: str, codemodel: str) -> Machine:
        """One of its kind. It is kept for as long as the process runs."""
        words = (word.encode() for word in (cpu, features))
        return Machine(self._library, self._library.CreateTargetMachine(
            self._at, self._triple, *words, opt, reloc.encode(), codemodel.encode(), 0, 0, b""))


class Machine:
    """Makes code."""

    def __init__(self, library: Library, at: int) -> None:
        self._library = library
        self.at = at

    @property
    def target_data(self) -> str:
        """How data lies in memory there, as IR tells it."""
        data, said = self._library.CreateTargetMachineData(self.at), _POINTER()
        self._library.CopyStringRepOfTargetData(data, ctypes.byref(said))
        try:
            return ctypes.string_at(said.value or 0).decode()
        finally:
            self._library.DisposeString(said)
            self._library.DisposeTargetData(data)

    def _emit(self, module: Module, how: int) -> bytes:
        library = self._library
        buffer = library.told("TargetMachineEmitToMemory", self.at, module.at, how)
        try:
            return ctypes.string_at(library.GetBufferStart(buffer), library.GetBufferSize(buffer))
        finally:
            library.DisposeMemoryBuffer(buffer)

    def emit_object(self, module: Module) -> bytes:
        """An object file."""
        return self._emit(module, 1)

    def emit_assembly(self, module: Module) -> str:
        """As text."""
        return self._emit(module, 0).decode()
