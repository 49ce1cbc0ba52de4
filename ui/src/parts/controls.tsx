// Small things that every page uses.
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { dayAndTime, duration, linkable, shortened, visible } from "../format.ts";
import { store, useSeconds } from "../store.ts";

type Kind = "plain" | "main" | "danger";
interface ButtonProps {
  kind?: Kind;
  label?: string;
  onClick: () => unknown;
  disabled?: boolean;
  children: ComponentChildren;
}
export function Button({ kind = "plain", label, onClick, disabled = false, children }: ButtonProps) {
  return <button type="button" class={kind} aria-label={label} disabled={disabled} onClick={() => void onClick()}>{children}</button>;
}

// Text that an app chose. Its direction stays inside.
export function Said({ text, most = 10_000 }: { text: string; most?: number }) {
  const whole = visible(text);
  const shown = shortened(whole, most);
  return <bdi class="said" title={shown === whole ? undefined : whole}>{shown === "" ? "(empty)" : shown}</bdi>;
}

export function Address({ url }: { url: string }) {
  if (!linkable(url)) return <Said text={url} />;
  return <a class="address" href={url} target="_blank" rel="noopener noreferrer"><Said text={url} /></a>;
}

// Counts down to a moment of the daemon's clock.
export function Countdown({ to }: { to: number }) {
  useSeconds();
  const left = to - store.now();
  return <time class="countdown" title={dayAndTime(to)}>{left <= 0 ? "due" : `in ${duration(left)}`}</time>;
}

export function Ago({ at }: { at: number }) {
  useSeconds();
  const passed = store.now() - at;
  return <time title={dayAndTime(at)}>{passed < 1e6 ? "just now" : `${duration(passed)} ago`}</time>;
}

export function Empty({ title, children }: { title: string; children: ComponentChildren }) {
  return <div class="empty"><p><strong>{title}</strong></p>{children}</div>;
}

interface ConfirmProps {
  title: string;
  action: string;
  onConfirm: () => unknown;
  onClose: () => void;
  children: ComponentChildren;
}
// Asks before something is done that cannot be undone. The platform's dialog keeps the focus and gives it back.
export function Confirm({ title, action, onConfirm, onClose, children }: ConfirmProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  const confirm = () => {
    void onConfirm();
    dialog.current?.close();
  };
  return (
    <dialog ref={dialog} aria-labelledby="confirm-title" onClose={onClose}>
      <h2 id="confirm-title">{title}</h2>
      {children}
      <div class="actions">
        <Button onClick={() => dialog.current?.close()}>Cancel</Button>
        <Button kind="danger" onClick={confirm}>{action}</Button>
      </div>
    </dialog>
  );
}

// A table that stays one for screen readers when style sheets lay it out as cards.
export function Table({ name, caption, headings, children }: { name: string; caption: string; headings: string[]; children: ComponentChildren }) {
  return (
    <table role="table" class={name}>
      <caption class="hidden">{caption}</caption>
      <thead role="rowgroup"><tr role="row">{headings.map((title) => <th role="columnheader" scope="col" key={title}>{title}</th>)}</tr></thead>
      <tbody role="rowgroup">{children}</tbody>
    </table>
  );
}
