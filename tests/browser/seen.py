"""What a reader sees or hears of a page: headings, names of pictures, contrast, width.

Here belongs asking it of any page; which answers are right is in the tests.
"""

from __future__ import annotations

from playwright.sync_api import Page

_CONTRASTS = """() => {
  const numbers = (text) => text.match(/[0-9.]+/g).map(Number);
  const light = (colour) => {
    const [red, green, blue] = colour.slice(0, 3).map((part) => {
      const share = part / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const ground = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const colour = numbers(getComputedStyle(each).backgroundColor);
      if (colour.length < 4 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const found = {};
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !element.getClientRects().length) continue;
    const style = getComputedStyle(element);
    const ink = numbers(element.closest("svg") ? style.fill : style.color);
    const lights = [light(ink), light(ground(element))].sort((one, other) => one - other);
    const name = element.tagName.toLowerCase() + (element.className.baseVal ?? element.className);
    const ratio = (lights[1] + 0.05) / (lights[0] + 0.05);
    found[name] = Math.min(found[name] ?? 21, ratio);
  }
  return found;
}"""


def contrasts(page: Page) -> dict[str, float]:
    """The lowest contrast (WCAG 2) of visible text with its ground, by kind of element."""
    return page.evaluate(_CONTRASTS)


def heading_levels(page: Page) -> list[int]:
    """Levels of the headings on show, in order."""
    return page.evaluate(
        "() => [...document.querySelectorAll('h1,h2,h3,h4,h5,h6')]"
        ".filter((each) => each.getClientRects().length).map((each) => Number(each.tagName[1]))"
    )


def is_wider_than_its_window(page: Page) -> bool:
    """Whether the document scrolls sideways."""
    return page.evaluate("document.documentElement.scrollWidth > innerWidth")


def pages_of(pdf: bytes) -> int:
    """How many sheets a PDF of Chromium's has."""
    return pdf.count(b"/Type /Page\n")
