"""What runs, in what order, as recorded Prefect flows?"""

from foretrain_flows import environment

environment.prepare()
