"""Each step of a finished Express run again on its own, and each left out, through LibreLane's flow object.

    python -m tests.flow.resuming RUN_DIRECTORY PDK_ROOT PDK LIBRARY

prints one JSON line for each: {step, how: "only"|"skip", ended: "" or the sentence, differing: [views or metrics]}.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from pathlib import Path
from typing import Any

from tests.flow.driver import _run_in_this_process


def _state(path: Path) -> Any:
    from librelane.state import State

    return State.loads(path.read_text())


def _differing(before: Any, after: Any) -> list[str]:
    """Views whose bytes, and metrics whose values, are not the same in two states."""
    found = [n for n, value in before.metrics.items() if float(after.metrics.get(n, "nan")) != float(value)]
    for view, path in before.items():
        other = after.get(view)
        if isinstance(path, str) and not str(path).endswith((".gds", ".png")):
            same = other is not None and Path(path).read_bytes() == Path(str(other)).read_bytes()
            found += [] if same else [str(view)]
    return found


def main(run: Path, root: str, pdk: str, library: str) -> None:
    """Go through all steps of Express."""
    from a6hub_jupyter import express

    os.environ.update(express.environment(sys.executable, os.environ))
    sys.path.insert(0, str(express.PLUGIN_DIRECTORY))
    from librelane.config import Config
    from librelane.flows import FlowError, FlowException
    from librelane.logging import set_log_level

    from a6hub_jupyter.express.flow import Express
    from a6hub_jupyter.express.steps.base import ExpressStep

    set_log_level("CRITICAL")
    ExpressStep.run = _run_in_this_process  # type: ignore[method-assign]
    design = run.parents[1]
    os.chdir(design)
    variables = Express.__new__(Express).get_all_config_variables()
    config, _ = Config.load(
        str(design / "config.json"), variables, design_dir=str(design), pdk=pdk, scl=library, pdk_root=root
    )
    own = [step.id for step in Express.Steps if step.id.startswith("Express.")]
    for k, name in enumerate(own):
        directory = next(run.glob(f"*-{name.replace('.', '-').lower()}"))
        following = own[min(k + 1, len(own) - 1)]
        for how, arguments in (
            ("only", {"frm": name, "to": name}),
            ("skip", {"frm": name, "to": following, "skip": [name]}),
        ):
            result: dict[str, Any] = {"step": name, "how": how, "ended": "", "differing": []}
            flow = Express(config, name="Express", design_dir=str(design))
            try:
                with contextlib.redirect_stdout(sys.stderr):
                    after = flow.start(
                        with_initial_state=_state(directory / "state_in.json"), tag=f"{how}{k}", **arguments
                    )
                if how == "only":
                    result["differing"] = _differing(_state(directory / "state_out.json"), after)
            except (FlowError, FlowException) as error:
                result["ended"] = str(error)
            print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:5])
