"""What a rendered page holds, read from its HTML without a browser."""

from html.parser import HTMLParser

_FETCHED = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src"}


class Reader(HTMLParser):
    """Collects ids, links, and what a browser would fetch."""

    def __init__(self, text):
        super().__init__()
        self.ids, self.links, self.fetched = set(), [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.ids.update(filter(None, (attributes.get("id"), attributes.get("name"))))
        if tag == "a" and "href" in attributes:
            self.links.append(attributes["href"])
        if _FETCHED.get(tag) in attributes:
            self.fetched.append(attributes[_FETCHED[tag]])
