"""What ``bad_pairs`` found: who is accepted, what each gate tells apart, and the ROC of each."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import beta

from lab.benchmarks.registration import WRONG_PERCENT
from scalptrack.registration import gates

Row = dict[str, Any]

GATES = {
    "bare_skin_fraction": (gates.MIN_BARE_FRACTION, 1),
    "cut_off_fraction": (gates.MAX_CUT_FRACTION, -1),
    "inliers": (gates.MIN_INLIERS, 1),
    "inliers_above_chance": (gates.MIN_ABOVE_CHANCE, 1),
    "rotation_deg": (gates.MAX_ROTATION_DEG, -1),
    "size_error": (gates.MAX_SIZE_ERROR, -1),
    "overlap": (gates.MIN_OVERLAP, 1),
    "outline_overlap": (gates.MIN_OUTLINE_OVERLAP, 1),
    "spread": (gates.MIN_SPREAD, 1),
    "split_half_percent": (gates.MAX_SPLIT_HALF_PERCENT, -1),
    "correlation": (gates.MIN_CORRELATION, 1),
    "correlation_margin": (gates.MIN_CORRELATION_MARGIN, 1),
    "reverse_percent": (gates.MAX_REVERSE_PERCENT, -1),
}
"""Limit of each gate and its direction: 1 where more is better."""

ASKED_LAST = "reverse_percent"
"""Has a value only where every other gate is passed, and not by far."""


def limit_of(name: str, values: dict[str, float]) -> float:
    """The limit of a gate beside the other values of the attempt."""
    alike = values.get("correlation", 0.0) >= gates.ALIKE_CORRELATION
    if name == "inliers_above_chance" and alike:
        return gates.MIN_ABOVE_CHANCE_ALIKE
    return GATES[name][0]


def margin(name: str, values: dict[str, float]) -> float:
    """How far a gate is passed, as a ratio: from 1 on it passes; 0 where there is no value."""
    if name == ASKED_LAST and values and name not in values:
        return 1e6
    if name not in values or not np.isfinite(values[name]):
        return 0.0
    limit, value = limit_of(name, values), values[name]
    ratio = value / limit if GATES[name][1] > 0 else limit / max(value, 1e-9)
    return float(min(ratio, 1e6))


def joint(values: dict[str, float]) -> float:
    """Margin of the gate that is passed least."""
    return min(margin(name, values) for name in GATES)


def decisive(row: Row) -> Row:
    """The attempt that the program would go by: the first that passes, else the best agreed."""
    tried = row["attempts"]
    for attempt in tried:
        if joint(attempt["gates"]) >= 1.0:
            return attempt
    nothing = {"gates": {}, "tre_percent": None, "tre_p95_percent": None}
    return max(tried, key=lambda each: each["gates"].get("inliers", 0.0), default=nothing)


def outcome(row: Row) -> str:
    """``right``, ``wrong`` (a false acceptance), ``refused`` or ``rejected`` (quality check)."""
    attempt = decisive(row)
    if row["problem"]:
        return "rejected"
    if joint(attempt["gates"]) < 1.0:
        return "refused"
    error = attempt["tre_percent"]
    return "right" if row["same"] and error is not None and error <= WRONG_PERCENT else "wrong"


def bound(false: int, count: int) -> float:
    """Upper end of the exact one-sided 95 % interval of a rate."""
    return 1.0 if false >= count else float(beta.ppf(0.95, false + 1, count - false))


def report(rows: list[Row], *, csv_path: Path | None, plot_path: Path | None) -> None:
    """Print all tables; write the values and the plot where asked for."""
    by_kind(rows)
    for half, title in ((0, "people that limits may be chosen on"), (1, "the other people")):
        summary([row for row in rows if row["half"] == half], title)
    summary(rows, "all")
    whole = [row for row in rows if not row["problem"]]
    good = [decisive(row) for row in whole if row["kind"].startswith("good")]
    bad = [decisive(row) for row in whole if not row["same"]]
    if good and bad:
        by_gate(good, bad)
        if plot_path is not None:
            plot(good, bad, plot_path)
    if csv_path is not None:
        write_csv(rows, csv_path)


def by_kind(rows: list[Row]) -> None:
    print("\n| pairs | n | rejected | refused | right | wrong | reasons |")
    print("|---|---|---|---|---|---|---|")
    for kind in dict.fromkeys(row["kind"] for row in rows):
        part = [row for row in rows if row["kind"] == kind]
        found = Counter(outcome(row) for row in part)
        reasons = Counter(row["problem"] or row["reason"] for row in part)
        reasons.pop("", None)
        listed = ", ".join(f"{code} {count}" for code, count in reasons.most_common(4))
        print(
            f"| {kind} | {len(part)} | {found['rejected']} | {found['refused']} | "
            f"{found['right']} | {found['wrong']} | {listed} |"
        )
    errors = [
        decisive(row)["tre_percent"] for row in rows if outcome(row) == "right" and row["same"]
    ]
    if errors:
        print(
            f"TRE of those that are right: median {np.median(errors):.2f}, 95 % "
            f"{np.percentile(errors, 95):.2f}, at most {max(errors):.2f} % of the head's width"
        )
    for row in rows:
        if outcome(row) == "wrong":
            values = " ".join(f"{k}={v:.2f}" for k, v in decisive(row)["gates"].items())
            print(f"WRONG {row['kind']}: {row['reference']} {row['moving']} {values}")
        if row["kind"].startswith("good") and outcome(row) == "refused":
            failed = [k for k in GATES if margin(k, decisive(row)["gates"]) < 1.0]
            print(
                f"lost {row['reference']} {row['moving']} coverage {row['coverage']:.2f} turn "
                f"{row['turn_deg'] or 0.0:.0f} deg: {', '.join(failed)}"
            )


def summary(rows: list[Row], title: str) -> None:
    good = [row for row in rows if row["kind"].startswith("good")]
    sparse = [row for row in good if row["coverage"] <= 0.5]
    bad = [row for row in rows if not row["kind"].startswith("good")]
    kept, kept_sparse = (sum(outcome(row) == "right" for row in part) for part in (good, sparse))
    false = sum(outcome(row) == "wrong" for row in rows)
    print(
        f"{title}: good pairs kept {kept} of {len(good)} (coverage up to 50 %: {kept_sparse} of "
        f"{len(sparse)}); false acceptances {false} of {len(bad)} bad pairs (95 % bound "
        f"{bound(false, max(len(bad), 1)):.2%})"
    )


def auc(good: np.ndarray, bad: np.ndarray) -> float:
    """Probability that a good pair has the better value than a bad one."""
    above = (good[:, None] > bad[None]).mean() + 0.5 * (good[:, None] == bad[None]).mean()
    return float(above)


def by_gate(good: list[Row], bad: list[Row]) -> None:
    print(
        "\n| gate | AUC | good pairs that pass it | bad pairs that pass it | bad pairs that it "
        "alone refuses |\n|---|---|---|---|---|"
    )
    for name in GATES:
        if name == ASKED_LAST:
            continue
        a, b = (np.array([margin(name, each["gates"]) for each in part]) for part in (good, bad))
        others = [min(margin(k, each["gates"]) for k in GATES if k != name) for each in bad]
        alone = int(((np.array(others) >= 1.0) & (b < 1.0)).sum())
        print(
            f"| `{name}` | {auc(a, b):.3f} | {(a >= 1).mean():.1%} | {(b >= 1).mean():.1%} | "
            f"{alone} |"
        )
    a, b = (np.array([joint(each["gates"]) for each in part]) for part in (good, bad))
    print(f"| all together | {auc(a, b):.3f} | {(a >= 1).mean():.1%} | {(b >= 1).mean():.1%} | |")
    print(
        f"least margin: best bad pair {b.max():.2f}, worst good pair that is kept "
        f"{a[a >= 1].min() if (a >= 1).any() else float('nan'):.2f} (1 is the limit)"
    )


def roc(good: np.ndarray, bad: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Shares of bad and of good pairs that pass, for all limits from strict to none."""
    levels = np.unique(np.concatenate([good, bad]))[::-1]
    return (
        np.array([0.0, *[(bad >= level).mean() for level in levels]]),
        np.array([0.0, *[(good >= level).mean() for level in levels]]),
    )


def plot(good: list[Row], bad: list[Row], path: Path) -> None:
    """ROC of each gate and of all together."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(7.2, 5.2), dpi=110)
    chosen = ("correlation", "correlation_margin", "inliers", "inliers_above_chance")
    chosen = (*chosen, "split_half_percent", "outline_overlap", "spread", "overlap")
    for name in chosen:
        a, b = (np.array([margin(name, each["gates"]) for each in part]) for part in (good, bad))
        x, y = roc(a, b)
        axes.step(x, y, where="post", linewidth=1.2, label=f"{name} ({auc(a, b):.3f})")
    a, b = (np.array([joint(each["gates"]) for each in part]) for part in (good, bad))
    x, y = roc(a, b)
    axes.step(x, y, "k", where="post", linewidth=2.4, label=f"all together ({auc(a, b):.3f})")
    axes.plot((b >= 1).mean(), (a >= 1).mean(), "ko", label="the limits of the program")
    axes.set_xscale("symlog", linthresh=1.0 / max(len(bad), 1))
    axes.set_xlim(left=-0.1 / max(len(bad), 1), right=1.0)
    axes.set_ylim(0.0, 1.02)
    axes.set_xlabel(f"share of {len(bad)} bad pairs that pass (linear up to one pair)")
    axes.set_ylabel(f"share of {len(good)} good pairs that pass")
    axes.legend(title="gate (AUC)", loc="lower right", fontsize=8)
    axes.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(path, metadata={"Software": None})


def write_csv(rows: list[Row], path: Path) -> None:
    """One line for each pair with every gate's value."""
    about = ("kind", "half", "view", "reference", "moving", "coverage", "turn_deg", "problem")
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([*about, "reason", "outcome", "attempts", "tre_percent", *GATES])
        for row in rows:
            attempt = decisive(row)
            values = [f"{attempt['gates'].get(name, float('nan')):.4f}" for name in GATES]
            writer.writerow(
                [
                    *(row[name] for name in about),
                    row["reason"],
                    outcome(row),
                    len(row["attempts"]),
                    attempt["tre_percent"],
                    *values,
                ]
            )
