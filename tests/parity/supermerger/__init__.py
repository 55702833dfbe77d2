"""What sd-webui-supermerger gives: asked in cases.py, made by generate.py, kept in expected.safetensors."""

from pathlib import Path

EXPECTED = Path(__file__).with_name("expected.safetensors")
