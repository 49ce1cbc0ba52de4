// Numbers, times and texts for people. Pure.
import type { LogLine } from "./types.ts";

// "4 min 05 s", "2 d 3 h", "now" for what is not in the future.
export function duration(us: number): string {
  const seconds = Math.ceil(us / 1e6);
  if (seconds <= 0) return "now";
  const [d, h, m, s] = [Math.floor(seconds / 86400), Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60, seconds % 60];
  if (d > 0) return h > 0 ? `${d} d ${h} h` : `${d} d`;
  if (h > 0) return `${h} h ${String(m).padStart(2, "0")} min`;
  if (m > 0) return `${m} min ${String(s).padStart(2, "0")} s`;
  return `${s} s`;
}

export function bytes(size: number): string {
  const units = ["B", "KiB", "MiB", "GiB"];
  let unit = 0;
  while (size >= 1024 && unit < units.length - 1) {
    size /= 1024;
    unit += 1;
  }
  return `${unit > 0 && size < 10 ? size.toFixed(1) : Math.round(size)} ${units[unit]}`;
}

const kTime = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
const kDay = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
export const clockTime = (us: number) => kTime.format(us / 1000);
export const dayAndTime = (us: number) => `${kDay.format(us / 1000)}, ${clockTime(us)}`;

// Control characters, line separators and marks of writing direction show as what they are: nobody's tag turns the
// text around it.
export function visible(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g, (c) => `\\u{${c.charCodeAt(0).toString(16)}}`);
}
export const shortened = (text: string, most = 80) => ([...text].length <= most ? text : `${[...text].slice(0, most - 1).join("")}…`);

// An address that may become a link: http and https only.
export function linkable(url: string): boolean {
  try {
    return ["http:", "https:"].includes(new URL(url).protocol);
  } catch {
    return false;
  }
}

// What a line of the log says, in one line.
export function lineText(line: LogLine): string {
  if (line.type === "event") {
    const details = Object.entries(line.metadata ?? {}).map(([key, value]) => `${key}: ${value}`);
    return [`${line.event} “${line.tag}”`, ...details].join(" · ");
  }
  if (line.type === "run") return `${line.kind} “${line.tag}”: ${line.outcome}${line.text ? ` (${line.text})` : ""}`;
  if (line.type === "recording") return line.on ? `${line.service} is being recorded` : `${line.service} is recorded no longer`;
  return line.text ?? "";
}

export type Tone = "good" | "bad" | "warning" | "quiet";
export function lineTone(line: LogLine): Tone {
  if (line.type === "report" || line.level === "error") return "bad";
  if (line.level === "warn") return "warning";
  if (line.type === "run") return line.outcome === "succeeded" ? "good" : "bad";
  if (line.type === "event" && line.metadata?.Status !== undefined) return line.metadata.Status === "succeeded" ? "good" : "warning";
  return "quiet";
}

// One cell of a CSV file. A cell that a spreadsheet would take for a formula begins with an apostrophe.
export function csvCell(value: string): string {
  const safe = /^[\s\u0000]*[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
export function csv(lines: LogLine[]): string {
  const rows = lines.map((line) => [line.at, line.type, line.origin, line.service ?? line.kind ?? line.level ?? "", line.tag ?? "", lineText(line)]);
  return [["time", "type", "origin", "service", "tag", "text"], ...rows].map((row) => row.map(csvCell).join(",")).join("\r\n") + "\r\n";
}
