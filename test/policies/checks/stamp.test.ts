import fc from "fast-check";
import { expect, test } from "vitest";
import { isStampForm, timeIn } from "../../../policies/checks/stamp.ts";

const dump = "backup_pre_cutover_YYYYMMDD_HHMMSS.sql";

test.each([
  ["v1.2.3-20260302", "vX.Y.Z-YYYYMMDD", "2026-03-02T00:00:00.000Z"],
  ["v0.10.0-20240229", "vX.Y.Z-YYYYMMDD", "2024-02-29T00:00:00.000Z"],
  ["backup_pre_cutover_20260302_235959.sql", dump, "2026-03-02T23:59:59.000Z"],
  ["20260302", "YYYYMMDD", "2026-03-02T00:00:00.000Z"],
  ["(a+)[b].20260302", "(a+)[b].YYYYMMDD", "2026-03-02T00:00:00.000Z"],
  ["235959 20260302", "HHMMSS YYYYMMDD", "2026-03-02T23:59:59.000Z"],
  ["1.2.3-4.5.6-20260302", "X.Y.Z-X.Y.Z-YYYYMMDD", "2026-03-02T00:00:00.000Z"],
])("%s has the form %s", (text, form, time) => {
  expect(timeIn(text, form)).toBe(Date.parse(time));
});

test.each([
  ["a day that the month does not have", "v1.2.3-20260230", "vX.Y.Z-YYYYMMDD"],
  ["a leap day of another year", "v1.2.3-20260229", "vX.Y.Z-YYYYMMDD"],
  ["a month that there is not", "20261301", "YYYYMMDD"],
  ["a day zero", "20260300", "YYYYMMDD"],
  ["an hour too many", "backup_pre_cutover_20260302_240000.sql", dump],
  ["a second too many", "backup_pre_cutover_20260302_235960.sql", dump],
  ["a form with a leading zero", "v01.2.3-20260302", "vX.Y.Z-YYYYMMDD"],
  ["a version of two parts", "v1.2-20260302", "vX.Y.Z-YYYYMMDD"],
  ["a version that goes on", "v1.2.3-rc.1-20260302", "vX.Y.Z-YYYYMMDD"],
  ["something before it", "xv1.2.3-20260302", "vX.Y.Z-YYYYMMDD"],
  ["something behind it", "v1.2.3-20260302x", "vX.Y.Z-YYYYMMDD"],
  ["a line behind it", "v1.2.3-20260302\n", "vX.Y.Z-YYYYMMDD"],
  ["another letter for a dot", "backup_pre_cutover_20260302_235959xsql", dump],
  ["digits of another script", "٢٠٢٦٠٣٠٢", "YYYYMMDD"],
  ["the form itself", "vX.Y.Z-YYYYMMDD", "vX.Y.Z-YYYYMMDD"],
  ["nothing", "", "YYYYMMDD"],
])("%s is refused", (_, text, form) => {
  expect(timeIn(text, form)).toBeUndefined();
});

test.each(["YYYYMMDD", "vX.Y.Z-YYYYMMDD", dump])("%s is a form", (form) => {
  expect(isStampForm(form)).toBe(true);
});

test.each(["", "vX.Y.Z", "HHMMSS", "YYYY-MM-DD", "YYYYMMDD-YYYYMMDD", "YYYYMMDD_HHMMSS_HHMMSS"])(
  "%j is no form",
  (form) => {
    expect(isStampForm(form)).toBe(false);
  },
);

test("every time that is written in a form is read from it again", () => {
  const time = fc.date({
    min: new Date("1970-01-01T00:00:00Z"),
    max: new Date("9999-12-31T23:59:59Z"),
    noInvalidDate: true,
  });
  const around = fc.string({ unit: "binary", maxLength: 8 }).filter((text) => !/[XYH]/.test(text));
  fc.assert(
    fc.property(time, around, around, (date, before, after) => {
      const [day = "", clock = ""] = date.toISOString().replaceAll(/[-:]/g, "").split("T");
      const text = `${before}${day}_${clock.slice(0, 6)}${after}`;
      const read = timeIn(text, `${before}YYYYMMDD_HHMMSS${after}`);
      expect(read).toBe(Math.floor(date.getTime() / 1000) * 1000);
    }),
  );
});

test("whatever is read, it is a time or nothing", () => {
  const form = fc.string({ unit: "binary", maxLength: 20 }).map((text) => `${text}YYYYMMDD`);
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), form.filter(isStampForm), (text, form) => {
      const read = timeIn(text, form);
      expect(read === undefined || Number.isFinite(read)).toBe(true);
    }),
  );
});
