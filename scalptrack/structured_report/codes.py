"""The coded concepts of a report: the standard's where there is one, else the program's own.

Standard codes are those of pydicom's dictionary of DICOM PS3.16 (DCM, SNOMED CT, UCUM, UMLS).
"""

from __future__ import annotations

from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from scalptrack.records import Status, Tier, Verdict

SCHEME = "99SCALPTRACK"
"""Designator of the program's own codes; "99" marks a private scheme (PS3.16, chapter 8)."""
SCHEME_NAME = "scalptrack: visible hair coverage in photographs"

PERCENT = codes.UCUM.Percent
PIXELS = Code("{pixels}", "UCUM", "Pixels")
COUNT = Code("1", "UCUM", "no units")
SCALP = codes.SCT.Scalp
MEAN = codes.SCT.Mean
IMAGING_PROCEDURE = codes.SCT.ImagingProcedure
BASELINE = codes.cid6146.Baseline
SOURCE = codes.DCM.SourceOfMeasurement
BEST_ILLUSTRATION = codes.DCM.BestIllustrationOfFinding
UPPER_UNCERTAINTY = codes.SCT.RangeOfUpperMeasurementUncertainty
LOWER_UNCERTAINTY = codes.SCT.RangeOfLowerMeasurementUncertainty


def _own(value: str, meaning: str) -> Code:
    return Code(value, SCHEME, meaning)


COVERAGE = _own("coverage", "Visible hair coverage")
CHANGE = _own("change", "Change of coverage against baseline, in percentage points")
DETECTABLE_CHANGE = _own("detectable", "Smallest detectable change here, in percentage points")
INTERVAL_LOW = _own("interval-low", "Lower limit of the 95 % interval")
INTERVAL_HIGH = _own("interval-high", "Upper limit of the 95 % interval")
REGION = _own("region", "Pixels of the compared region")
EXCLUDED = _own("excluded", "Share of the visible scalp outside the compared region")
PHOTOGRAPHS = _own("photographs", "Photographs that were measured at this visit")

BASELINE_DATE = _own("baseline-date", "Visit that changes are counted from")
VIEW = _own("view", "View of the head")
REFERENCE = _own("reference", "What all photographs of the series are aligned with")
STATUS = _own("status", "What became of the photograph")
TIER = _own("tier", "How far the alignment can be trusted")
VERDICT = _own("verdict", "What can be said about the change")
SENTENCE = _own("sentence", "The verdict in words")
REASON = _own("reason", "Why there is no number")
REASON_CODE = _own("reason-code", "Why there is no number, as a code")
NOT_COMPARED = _own("not-compared", "Why the number is not compared with others")
DOUBTS = _own("doubts", "Codes of doubts that did not prevent the measurement")
SHA256 = _own("sha256", "SHA-256 of the photograph's file")

STATUSES = {
    Status.MEASURED: _own("measured", "Measured"),
    Status.REFUSED: codes.DCM.MeasurementFailure,
    Status.REJECTED: codes.DCM.MeasurementNotAttempted,
}
TIERS = {
    Tier.A: _own("tier-A", "Aligned by features of the scalp; all tests passed"),
    Tier.B: _own("tier-B", "Aligned by points set by hand, or by the outline"),
    Tier.C: _own("tier-C", "Not aligned"),
}
VERDICTS = {
    Verdict.INCREASE: _own("increase", "Increase"),
    Verdict.DECREASE: _own("decrease", "Decrease"),
    Verdict.NO_DETECTABLE_CHANGE: _own("no-change", "No detectable change"),
    Verdict.NOT_COMPARABLE: _own("not-comparable", "Not comparable"),
}
