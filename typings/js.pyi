"""What of the browser's globals pyapp/browser uses. Values from JavaScript are Any: the edge is thin."""

from typing import Any

Blob: Any
Date: Any
Intl: Any
Object: Any
URL: Any
URLSearchParams: Any
document: Any
localStorage: Any
location: Any
navigator: Any
performance: Any
window: Any
