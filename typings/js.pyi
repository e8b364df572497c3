"""What of the browser's globals pyapp/browser uses. Values from JavaScript are Any: the edge is thin."""

from typing import Any

Blob: Any
URL: Any
document: Any
localStorage: Any
location: Any
navigator: Any
performance: Any
window: Any
URLSearchParams: Any
