// HTML §3.1.4: document.cookie, read and written at once in the daemon's jar.
import { setCookieAccess } from "./document.ts";
import { port } from "./port.ts";
import { documentUrl } from "./page_location.ts";

// RFC 6265 section 5.2, as far as the daemon's message has room: a cookie that only HTTP may see cannot be set here.
function parse(line: string) {
  const [pair = "", ...attributes] = line.split(";");
  const cut = pair.indexOf("=");
  const cookie = {
    name: cut < 0 ? "" : pair.slice(0, cut).trim(),
    value: pair.slice(cut + 1).trim(),
    domain: "",
    path: documentUrl().pathname.replace(/\/[^/]*$/, "") || "/",
    expiresMs: 0,
    secure: false,
    sameSite: "lax",
  };
  let lives: number | null = null;
  for (const attribute of attributes) {
    const [name, ...rest] = attribute.split("=");
    const value = rest.join("=").trim();
    switch (name!.trim().toLowerCase()) {
      case "domain":
        cookie.domain = value.replace(/^\./, "").toLowerCase();
        break;
      case "path":
        if (value.startsWith("/")) cookie.path = value;
        break;
      case "expires":
        if (!Number.isNaN(Date.parse(value))) cookie.expiresMs = Math.max(Date.parse(value), 1);
        break;
      case "max-age":
        if (/^-?\d+$/.test(value)) lives = Number(value);
        break;
      case "secure":
        cookie.secure = true;
        break;
      case "samesite":
        if (/^(strict|none)$/i.test(value)) cookie.sameSite = value.toLowerCase();
        break;
      case "httponly":
        return null;
    }
  }
  if (lives !== null) cookie.expiresMs = lives <= 0 ? 1 : Date.now() + lives * 1000;
  return cookie;
}

export function installPageCookies(): void {
  setCookieAccess({
    get() {
      const { cookies } = port.requestSync({ cookieGet: { url: documentUrl().href } });
      return (cookies?.cookies ?? []).map(({ name, value }) => (name ? `${name}=${value}` : value)).join("; ");
    },
    set(line) {
      const cookie = parse(line);
      if (!cookie || /[\x00-\x08\x0a-\x1f\x7f]/.test(line)) return;
      try {
        port.requestSync({ cookieSet: cookie });
      } catch {
        // A cookie that may not be is dropped without a word.
      }
    },
  });
}
