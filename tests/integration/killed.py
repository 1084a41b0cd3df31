"""A validation that kills itself without mercy in one stage, after the stage has written its files.

In the cascade it does so in the midst of training, after a few snapshots. Its nets take few steps.

Usage: [FORETRAIN_CASCADE__MODE=full] python killed.py STAGE|nowhere here|flow CANDIDATE ORIGINAL OUT
"""

import importlib
import os
import signal
import sys

from foretrain.cascade.stage import STEPS
from foretrain.cascade.training.snapshots import Snapshots
from foretrain.pipeline import BY_NAME
from foretrain.settings import Effort
from foretrain_flows.command import main

stage, where, candidate, original, out = sys.argv[1:]
STEPS[Effort.QUICK] = 60
if stage == "cascade":
    save, saved = Snapshots.save, []

    def saved_and_killed(*arguments, **named):
        save(*arguments, **named)
        saved.append(1)
        if len(saved) == 9:
            os.kill(os.getpid(), signal.SIGKILL)

    Snapshots.save = saved_and_killed
elif stage != "nowhere":
    module, name = BY_NAME[stage].function.split(":")
    home = importlib.import_module(module)
    function = getattr(home, name)

    def killed(*arguments, **named):
        function(*arguments, **named)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(home, name, killed)

prefect = "--prefect" if where == "flow" else "--no-prefect"
words = ["validate", candidate, "--original", original, "--effort=quick", "--out", out, prefect]
sys.argv = ["foretrain", *words]
os.environ |= {"FORETRAIN_CASCADE__SNAPSHOT_SECONDS": "0.05", "FORETRAIN_CASCADE__ROWS": "100"}
main()
