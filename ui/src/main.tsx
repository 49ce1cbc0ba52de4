import { render } from "preact";
import { takeToken } from "./api.ts";
import { Panel } from "./panel.tsx";
import { openStore } from "./store.ts";

openStore(takeToken());
const place = document.getElementById("panel");
if (place !== null) {
  place.replaceChildren();
  render(<Panel />, place);
}
