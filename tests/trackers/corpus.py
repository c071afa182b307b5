"""What citizens might write that a tracker would run, link or render, by hand and by hypothesis."""

from __future__ import annotations

from hypothesis import strategies as st

WRITTEN = [
    "#1 ##1 #1-1 #note-1 r1 commit:abc document:x document#1 attachment:foto.jpg source:a export:b",
    'version:1.0 version:"1.0" news#1 forum:Suport message#1 project#1 project:obres-i-serveis',
    "@oac hola @oac, (@oac) [@oac] user:oac user#5 user:oac@exemple.cat @@oac à@oac x@@oac",
    "!http://127.0.0.1:9/x.png! !>{width:1px}http://127.0.0.1:9/x.png!:http://127.0.0.1:9 ![i](http://e/i.png)",
    "{{include(Wiki)}} {{macro_list}} {{macro(0)}} {{toc}} {{>toc}} {{{include(Wiki)}}} {{thumbnail(foto.jpg)}}",
    "{{collapse(Obre)\nhola @oac\n}}\n{{issue(1)}}",
    "[[Wiki]] [[Wiki|text]] [[#ancora]] [[obres-i-serveis:Wiki]] ![[Wiki]]",
    "http://exemple.cat www.exemple.cat ftp://exemple.cat mailto:a@exemple.cat anna@exemple.cat <http://e.cat>",
    '"enllaç":http://exemple.cat [x](http://e.cat) [x][1] [x]: http://e.cat\n[1]: http://e.cat',
    "<b>x</b><script>alert(1)</script><img src=x onerror=alert(1)><iframe src=//e.cat></iframe>",
    "</code></pre><pre>#1</pre><code>#1</code></kbd><notextile>#1</notextile><kbd> < code>",
    "</CODE>#1 <Pre>@oac</pRe> <redpre#0> <code class=\"ruby\">puts 1</code> <!-- c --> <![CDATA[x]]>",
    "h1. Títol\n\n# u\n# dos\n* tres\n\n|a|b|\n|-|-|\n|c|d|\n\n---\n\nTítol\n=====\n\n## Dos",
    "*gras* _cursiva_ -ratllat- +sota+ ^dalt^ ~baix~ ??cita?? %{color:red}x% @codi@ ~~x~~ **y** __z__",
    "> cita #1\n>\n> @oac\n>> més\nbq. cita fn1. nota[1] ==cru== p{color:red}. x",
    "    quatre espais\n  dos   i  tres\n\ttabulador\tdins",
    "&amp; & &#1; &lt;b&gt; x%x% :redsh#1: x%x%x% %x%x",
    "```\nfoo\n```\n~~~\n@oac\n~~~\n````\n@oac",
    "`", "a`", "`a", "`` ` ``", "`#1", "`a` ``b`` ```c```", "a\\\nb\\", "u  \ndos",
    "- [ ] feina\n- [x] feta\n1. un\n2. dos\n+ tres\n[^1]\n\n[^1]: nota", ": - ) ;-) 2x3 (c) (tm) -- ...",
    "x" * 400 + " " + "paraula " * 60,
    "emoji 😀🏖️🇪🇸 · l·l «cometes» ñ ç 𝔤òtic العربية \u202eenrere\u202c",
    "1 | 2\n-|-\n3 | 4", "term\n: definició", "$x$ \\(y\\)", "@", "{{", "}}", "{ {include(Wiki)}}",
]  # fmt: skip

_pieces = st.sampled_from(
    [*"#@!{}[]()<>|*_-+^~`=:;.,&%\\/\"' \n\t", "\n\n", "oac", "1", "r1", "{{", "}}", "toc", "include(Wiki)", "[[",
     "]]", "<pre>", "</pre>", "<code>", "</code>", "bq. ", "h1. ", "http://", "e.cat", "x%x%", "user:", "@oac",
     "\r\n", "&amp;", "```", "~~~", "à", "😀", "\u2028", "\u00a0"]
)  # fmt: skip
MADE = st.lists(_pieces, max_size=40).map("".join) | st.text(max_size=200)
"""Texts made of what markup is made of."""
