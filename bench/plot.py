# SPDX-License-Identifier: GPL-2.0-or-later
"""Bar charts as SVG, with nothing but strings: one row a bar, its spread as a thin line, its value in figures."""
from html import escape
from statistics import median

WIDTH, LABEL, FIGURES, ROW, TOP = 760, 230, 110, 30, 52
COLOURS = {"ours": "#2563a8", "tls": "#5b8c5a", "other": "#a3a3a3"}


def figure(value):
    if value >= 100:
        return f"{value:,.0f}".replace(",", " ")
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def bars(title, unit, rows, target=None):
    """`rows` are (label, values, kind); bars show the medians, thin lines the range of the values. A target is a dashed line."""
    rows = [(label, sorted(values), kind) for label, values, kind in rows if values]
    longest = max([values[-1] for _, values, _ in rows] + [target or 0, 1e-9])
    scale = (WIDTH - LABEL - FIGURES) / longest
    height = TOP + ROW * len(rows) + 14
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
           'font-family="system-ui, sans-serif" font-size="13">',
           f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
           f'<text x="14" y="27" font-size="16" font-weight="600" fill="#1f2328">{escape(title)}'
           f'<tspan dx="12" font-size="13" font-weight="400" fill="#59636e">{escape(unit)}</tspan></text>']
    for i, (label, values, kind) in enumerate(rows):
        y, middle = TOP + i * ROW, median(values)
        out += [f'<text x="{LABEL - 10}" y="{y + 15}" text-anchor="end" fill="#1f2328">{escape(label)}</text>',
                f'<rect x="{LABEL}" y="{y}" width="{max(middle * scale, 1):.1f}" height="21" rx="2" fill="{COLOURS[kind]}"/>']
        if values[-1] > values[0]:
            left, right = LABEL + values[0] * scale, LABEL + values[-1] * scale
            out.append(f'<path d="M{left:.1f} {y + 10.5}H{right:.1f}M{left:.1f} {y + 6.5}v8M{right:.1f} {y + 6.5}v8" stroke="#1f2328" '
                       'stroke-width="1.2" fill="none"/>')
        out.append(f'<text x="{LABEL + values[-1] * scale + 8:.1f}" y="{y + 15}" fill="#1f2328">{figure(middle)}</text>')
    if target:
        x = LABEL + target * scale
        out.append(f'<path d="M{x:.1f} {TOP - 8}V{height - 10}" stroke="#c0392b" stroke-width="1.4" stroke-dasharray="5 4"/>'
                   f'<text x="{x:.1f}" y="{TOP - 11}" text-anchor="middle" font-size="11" fill="#c0392b">target {figure(target)}</text>')
    return "\n".join([*out, "</svg>", ""])
