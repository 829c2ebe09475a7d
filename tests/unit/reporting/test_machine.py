"""Facts about what is said of the machine."""

import platform

from dilt.reporting import machine


def test_every_fact_is_told_and_none_names_the_host(monkeypatch, tmp_path) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("processor\t: 0\nmodel name\t: A Processor @ 2 GHz\nmodel name\t: A Processor @ 2 GHz\n")
    monkeypatch.setattr(machine, "CPUINFO", cpuinfo)
    found = machine.machine()
    assert found["processor"] == "A Processor @ 2 GHz"
    assert all(found.values())
    assert platform.node() not in " ".join(found.values())


def test_a_system_that_does_not_tell_its_processor_tells_its_architecture(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(machine, "CPUINFO", tmp_path / "absent")
    assert machine.machine()["processor"] in (platform.processor(), platform.machine())
