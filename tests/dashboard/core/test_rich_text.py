import pytest

from dashboard.core.rich_text import render_markdown


class TestRenderMarkdown:
    def test_renders_what_authors_need(self) -> None:
        html = render_markdown("# A\n\n**b** `c`\n\n| x |\n| - |\n| 1 |\n\n3. d\n\n~~e~~")

        for part in (
            "<h2>A</h2>",
            "<strong>b</strong>",
            "<code>c</code>",
            "<td>1</td>",
            "<s>e</s>",
        ):
            assert part in html
        assert '<ol start="3">' in html

    def test_shows_pictures_of_this_portal_only(self) -> None:
        assert 'src="/covers/a.png"' in render_markdown("![A map](/covers/a.png)")
        for foreign in ("https://e.org/a.png", "//e.org/a.png", "a.png"):
            html = render_markdown(f"![A map]({foreign})")

            assert "src=" not in html and 'alt="A map"' in html

    def test_marks_links_as_foreign(self) -> None:
        html = render_markdown("[x](https://example.org/a)")

        assert 'href="https://example.org/a"' in html and 'rel="noopener nofollow"' in html

    @pytest.mark.parametrize(
        "attack",
        [
            "<img src=x onerror=alert(1)>",
            "<script>alert(1)</script>",
            "[x](javascript:alert(1))",
            "[x](JaVaScRiPt:alert(1))",
            "[x](data:text/html;base64,PHNjcmlwdD4=)",
            "[x](vbscript:msgbox)",
            "![x](javascript:alert(1))",
            "<a href='javascript:alert(1)'>x</a>",
            "<svg onload=alert(1)>",
            "<style>*{display:none}</style>",
            "<!-- x --><iframe src=//e>",
            '[x](https://e"onmouseover=alert(1))',
            '![x](x "onerror=alert(1)")',
        ],
    )
    def test_leaves_nothing_that_acts(self, attack: str) -> None:
        html = str(render_markdown(attack)).lower()

        for tag in ("<script", "<style", "<svg", "<iframe", "<img src=x onerror"):
            assert tag not in html
        for address in ('="javascript:', '="data:', '="vbscript:', '" onmouseover', '" onerror'):
            assert address not in html
