from typing import Any

bridge: Any
