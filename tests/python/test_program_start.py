"""What the program does before it begins to work."""

import subprocess


def test_the_clock_is_not_measured(weightsmith):
    """Highway's library would, for as long as all the rest of the start takes; the dynamic linker tells which function is
    called."""
    environment = {**weightsmith.environment, "LD_DEBUG": "bindings", "LD_BIND_NOW": "1"}
    told = subprocess.run(weightsmith.command("--version"), env=environment, capture_output=True, text=True, check=True).stderr
    bound = [line for line in told.splitlines() if "TimerResolution" in line]
    assert "binding file" in told
    assert all("libhwy" not in line.split(" to ")[1] for line in bound), bound
