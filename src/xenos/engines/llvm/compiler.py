"""Text IR to object code, through llvmlite; imported only where code is built."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from xenos.engines.code.object import ObjectFile
from xenos.engines.llvm.workers import Workers
from xenos.errors import EngineError


class Compiler:
    """A target of LLVM, with LLVM's names of a relocation and a code model, and options as its tools take them.

    `compile` parses, verifies and emits one module.
    """

    def __init__(self, triple: str, cpu: str, features: str, model: tuple[str, str], options: tuple[str, ...] = ()) -> None:
        from xenos.engines.llvm.library import binding

        llvm = binding()

        self._target = (triple, cpu, features, model)
        self._llvm: Any = llvm
        for option in options:      # they hold for the whole process
            llvm.set_option("xenos", option)
        llvm.initialize_all_targets()       # a pack can be made for another machine, and to know all of them takes 1 ms
        llvm.initialize_all_asmprinters()
        llvm.initialize_native_asmparser()
        self._machine = llvm.Target.from_triple(triple).create_target_machine(
            cpu=cpu, features=features, opt=2, reloc=model[0], codemodel=model[1])

    def _module(self, ir: str) -> Any:
        try:
            module = self._llvm.parse_assembly(ir, context=self._llvm.create_context())
            module.verify()
        except RuntimeError as error:
            raise EngineError(f"LLVM refuses the IR: {_first(error)}") from error
        return module

    def compile(self, ir: str, optimize: int = 0) -> ObjectFile:
        """Object code of a module in text IR; EngineError if LLVM does not take it, or makes of it what it would not take.

        Stencils are written as they shall be, other code for its readers: `optimize` runs a few cheap passes first with 1, and all
        of LLVM's level with 2 or 3.
        """
        return ObjectFile(bytes(self._machine.emit_object(self._optimized(ir, optimize))))

    def _optimized(self, ir: str, optimize: int) -> Any:
        if optimize > 1:    # what it says of the host makes code faster then, with few passes slower (docs/regions.md)
            ir = f'target datalayout = "{self._machine.target_data}"\n{ir}'
        module = self._module(ir)
        if optimize:
            # More, and larger functions inlined, take LLVM half as long again and make nothing measurably faster.
            options = self._llvm.create_pipeline_tuning_options(speed_level=optimize)
            options.inlining_threshold = 25
            options.loop_vectorization = options.slp_vectorization = False     # it would want tables of constants
            passes = self._llvm.create_pass_builder(self._machine, options)
            if optimize > 1:
                manager = passes.getModulePassManager()
            else:
                # LLVM's own level takes ten times as long, and what it makes translates no faster.
                manager = self._llvm.create_new_module_pass_manager()
                manager.add_always_inliner_pass()
                manager.add_sroa_pass()
                manager.add_simplify_cfg_pass()
                manager.add_instruction_combine_pass()
                manager.add_simplify_cfg_pass()
            manager.run(module, passes)
            # Where a phi takes the result of a `callbr` right from there and only part of it is wanted, instcombine (LLVM 22.1) has
            # that part taken before the result is there. Only this finds it: code generated from that has anything in its place. It
            # takes 1 % of the time that a region takes.
            try:
                module.verify()
            except RuntimeError as error:
                raise EngineError(f"LLVM's own passes made IR that it refuses: {_first(error)}") from error
        return module

    def begin(self, workers: Workers, ir: str) -> Callable[[], ObjectFile]:
        """The same as `compile`, by one of the workers; gives a function that waits for the object."""
        done = workers.begin(_work, self._target, ir)
        return lambda: ObjectFile(done())

    def _emit(self, ir: str) -> bytes:
        return bytes(self._machine.emit_object(self._module(ir)))

    def assembly(self, ir: str) -> str:
        """The same as assembly text, for people."""
        return str(self._machine.emit_assembly(self._module(ir)))


def _first(error: RuntimeError) -> str:
    """What LLVM says first."""
    return str(error).strip().splitlines()[0]


_made: dict[tuple[Any, ...], Compiler] = {}     # of a worker


def _work(target: tuple[Any, ...], ir: str) -> bytes:
    if target not in _made:
        _made[target] = Compiler(*target)
    return _made[target]._emit(ir)
