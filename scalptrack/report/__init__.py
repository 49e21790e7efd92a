"""The report: pages of numbers that are already computed."""

from scalptrack.report.build import build_report
from scalptrack.report.context import FollowUpPictures, ReportContext, TimelineSection
from scalptrack.report.pdf import build_pdf

__all__ = ["FollowUpPictures", "ReportContext", "TimelineSection", "build_pdf", "build_report"]
