"""Quarterly tables: hospitals file, the workbook answers, the bureau accepts (seed 000 §三(四), §四(六); R-054, R-071)."""
