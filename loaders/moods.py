"""How posts sound, for the student page: a score in words and signs, beside the student's own usual; a small line."""

from __future__ import annotations

from loaders.sentiment import mood

MOODS = {"negative": ("low", "▼"), "neutral": ("mid", "●"), "positive": ("high", "▲")}
UNUSUAL = 0.3  # so far from the usual is worth a word
LINE = {"width": 560, "height": 64, "dot": 4}
FEWEST = 3  # posts for a line
LEAST_TOP = 0.4  # of the scale, so that small differences stay small


def sound(post: dict) -> dict:
    """`score` as text with its sign, `mood`, its `colour` and `sign`, and `beside`: how far from the usual, in words.

    A post without a score has `none`, the reason.
    """
    score = post["sentiment"]
    if score is None:
        return {"none": post["no_sentiment"] or "not scored yet"}
    colour, sign = MOODS[mood(score)]
    return {"score": signed(score), "mood": mood(score), "colour": colour, "sign": sign, "beside": beside(post)}


def beside(post: dict) -> str:
    """'0.45 below the usual +0.21'; nothing for what is near it, or where there is none yet."""
    usual = post["usual_sentiment"]
    if usual is None or abs(apart := post["sentiment"] - usual) < UNUSUAL:
        return ""
    return f"{abs(apart):.2f} {'above' if apart > 0 else 'below'} the usual {signed(usual)}"


def signed(score: float) -> str:
    """'+0.52', '−0.41' with a real minus, '0.00'."""
    text = f"{score:+.2f}".replace("-", "−")
    return text if text.strip("+−") != "0.00" else "0.00"


def chart(posts: list[dict]) -> dict | None:
    """A dot for each scored post, oldest first, in the coordinates of the drawing; None for too few of them."""
    scored = [post for post in reversed(posts) if post["sentiment"] is not None]
    if len(scored) < FEWEST:
        return None
    top = max(LEAST_TOP, *(abs(post["sentiment"]) for post in scored))
    step = (LINE["width"] - 2 * LINE["dot"]) / (len(scored) - 1)
    dots = [
        {
            **sound(post), "title": post["title"], "published_utc": post["published_utc"],
            "x": round(LINE["dot"] + index * step, 1), "y": height(post["sentiment"], top),
            "usual_y": None if post["usual_sentiment"] is None else height(post["usual_sentiment"], top),
        }
        for index, post in enumerate(scored)
    ]  # fmt: skip
    return {**LINE, "dots": dots, "zero": height(0, top)}


def height(score: float, top: float) -> float:
    """`top` is at the top, as far below 0 the bottom."""
    room = LINE["height"] - 2 * LINE["dot"]
    return round(LINE["dot"] + room * (1 - score / top) / 2, 1)
