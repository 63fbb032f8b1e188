// Ripen's behaviours: each a few lines, each on top of something that works without them.
// Served as one file under `script-src 'self'`; no eval, no inline handlers.
(() => {
  "use strict";
  const root = document.documentElement;
  const body = document.body;
  const by = (id) => document.getElementById(id);
  const meta = (name) => document.querySelector(`meta[name="${name}"]`)?.content ?? "";
  root.classList.add("js");

  // The zone in which the server shows times, told once.
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone && !document.cookie.split("; ").includes(`tz=${encodeURIComponent(zone)}`)) {
    const secure = location.protocol === "https:" ? "; secure" : "";
    document.cookie = `tz=${encodeURIComponent(zone)}; path=/; max-age=31536000; samesite=lax${secure}`;
  }

  // ---- Messages -------------------------------------------------------------------------------
  function toast(text, tone) {
    const shape = by("toast-shape")?.content.firstElementChild.cloneNode(true);
    if (!shape) return;
    shape.classList.add(`toast--${tone}`);
    shape.querySelector("p").textContent = text;
    by("toasts").append(shape);
  }

  // A toast leaves after ten seconds, unless somebody is at it.
  function leave(element) {
    setTimeout(() => {
      if (element.matches(":hover, :focus-within")) leave(element);
      else element.remove();
    }, 10000);
  }
  if (by("toasts")) {
    new MutationObserver((changes) => {
      for (const change of changes) for (const node of change.addedNodes) if (node.nodeType === 1) leave(node);
    }).observe(by("toasts"), { childList: true });
  }

  // What failed stays on the page until it is tried again or closed.
  function trouble(text, retry) {
    const region = by("trouble");
    if (!region) return;
    const banner = document.createElement("p");
    banner.className = "banner banner--danger";
    banner.append(`⚠ ${text} `);
    const button = (label, act) => {
      const made = document.createElement("button");
      made.type = "button";
      made.className = "btn btn--small";
      made.textContent = label;
      made.addEventListener("click", () => { banner.remove(); act(); });
      banner.append(made);
    };
    if (retry) button("Retry", retry);
    button("Close", () => {});
    region.replaceChildren(banner);
  }

  // ---- htmx -----------------------------------------------------------------------------------
  const polls = (element) => /(^|,)\s*every\b/.test(element.getAttribute?.("hx-trigger") ?? "");

  // Sends the same request once more; a form sends what it holds now.
  function again(detail) {
    const { verb, path } = detail.requestConfig;
    return () => window.htmx.ajax(verb, path, { source: detail.elt, target: detail.target });
  }

  body.addEventListener("htmx:configRequest", (event) => {
    event.detail.headers["X-CSRF-Token"] = meta("csrf-token");
  });
  body.addEventListener("htmx:beforeRequest", (event) => {
    if (document.hidden && polls(event.detail.elt)) { event.preventDefault(); return; }
    if (!polls(event.detail.elt)) event.detail.target.setAttribute("aria-busy", "true");
  });
  body.addEventListener("htmx:afterRequest", (event) => {
    event.detail.target.removeAttribute("aria-busy");
    if (event.detail.successful) by("trouble")?.replaceChildren();
    // A row that was only deleted settles nothing, so afterSettle never comes.
    setTimeout(handOver, 60);
  });
  body.addEventListener("htmx:responseError", (event) => {
    const xhr = event.detail.xhr;
    const wait = xhr.getResponseHeader("Retry-After");
    if (xhr.status === 401) location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
    else if (xhr.status === 429 || xhr.status === 503) toast(`Ripen is busy. Nothing was changed; try again in ${wait || "a few"} s.`, "danger");
    else if (xhr.status === 403) toast("Your role does not allow this. An admin can change roles under Team.", "danger");
    else if (xhr.status === 404) toast("This is no longer here. Reload the page to see what is.", "danger");
    else {
      const id = xhr.getResponseHeader("X-Request-Id");
      trouble(`Something went wrong on the server.${id ? ` Request ${id}.` : ""}`, again(event.detail));
    }
  });
  for (const name of ["htmx:sendError", "htmx:timeout"]) {
    body.addEventListener(name, (event) => {
      if (polls(event.detail.elt)) return;
      const why = name === "htmx:timeout" ? "The server took longer than 15 s." : "The server can't be reached.";
      trouble(`${why} It is not known whether the change was made.`, again(event.detail));
    });
  }
  body.addEventListener("htmx:oobErrorNoTarget", (event) => {
    console.warn("no place on this page for", event.detail.content?.id ?? event.detail.content);
  });

  // ---- Focus after a swap ---------------------------------------------------------------------
  // data-focus on what came in says where; a row that left hands it to its neighbour.
  const rows = () => [...document.querySelectorAll("[data-row]")];
  const entry = (row) => row?.querySelector("[data-row-link]") ?? row?.querySelector("a, button, input");
  let neighbours = null;

  function handOver() {
    if (neighbours && (document.activeElement === body || !document.activeElement)) {
      const next = neighbours.map(by).find(Boolean);
      (entry(next) ?? document.querySelector("[data-list-heading]"))?.focus();
    }
    neighbours = null;
  }

  body.addEventListener("htmx:beforeSwap", () => {
    const row = document.activeElement?.closest("[data-row]");
    const all = rows();
    const at = all.indexOf(row);
    neighbours = row ? [row, all[at + 1], all[at - 1]].filter(Boolean).map((one) => one.id) : null;
  });
  body.addEventListener("htmx:afterSettle", (event) => {
    const came = event.detail.elt;
    if (!came?.querySelector) return;
    const wish = came.matches("[data-focus]") ? came : came.querySelector("[data-focus]");
    if (wish) {
      const place = wish.dataset.focus ? document.querySelector(wish.dataset.focus) : wish;
      place?.focus();
      neighbours = null;
    }
    const failed = document.querySelector(".error-summary") !== null;
    document.title = (failed ? "Error: " : "") + document.title.replace(/^Error: /, "");
  });
  // A whole page that came back with problems.
  document.querySelector(".error-summary[data-focus]")?.focus();

  // ---- Clicks ---------------------------------------------------------------------------------
  let opener = null;
  function open(dialog, from) {
    if (!(dialog instanceof HTMLDialogElement) || dialog.open) return;
    opener = from;
    dialog.showModal();
    dialog.querySelector("h2")?.focus();
    dialog.addEventListener("close", () => opener?.focus?.(), { once: true });
  }

  document.addEventListener("click", async (event) => {
    const control = event.target.closest?.("[data-copy], [data-opens], [data-dismiss], [data-select-page]");
    if (!control) return;
    if (control.matches("[data-dismiss]")) control.closest(".toast, .banner")?.remove();
    if (control.matches("[data-opens]")) open(by(control.dataset.opens), control);
    if (control.matches("[data-select-page]")) {
      const scope = control.closest(".bulk") ?? document;
      for (const box of scope.querySelectorAll(".row__select")) box.checked = control.checked;
    }
    if (control.matches("[data-copy]")) {
      const source = by(control.dataset.copy);
      const text = source?.value ?? source?.textContent ?? "";
      try {
        await navigator.clipboard.writeText(text);
        const label = control.textContent;
        control.textContent = "Copied";
        by("live").textContent = "Copied";
        setTimeout(() => { control.textContent = label; }, 2000);
      } catch {
        const range = document.createRange();
        range.selectNodeContents(source);
        getSelection().removeAllRanges();
        getSelection().addRange(range);
        toast("The browser refused to copy. The text is selected: press Ctrl+C.", "danger");
      }
    }
  });

  // Menus made of <details> close when the focus or a click goes elsewhere.
  for (const name of ["click", "focusin"]) {
    document.addEventListener(name, (event) => {
      for (const menu of document.querySelectorAll("details.menu-anchor[open]")) {
        if (!menu.contains(event.target)) menu.open = false;
      }
    });
  }

  // ---- Keys -----------------------------------------------------------------------------------
  // Every key clicks or focuses a control that is on the page; off with data-shortcuts="off".
  let going = 0;
  let lastPicked = null;
  const typing = (element) => element.closest?.("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");
  const current = () => document.activeElement?.closest("[data-row]");

  function step(by) {
    const all = rows();
    if (!all.length) return;
    const at = all.indexOf(current());
    const to = at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + by, 0), all.length - 1);
    entry(all[to])?.focus();
    all[to].scrollIntoView({ block: "nearest" });
  }

  function pick(range) {
    const all = rows();
    const row = current();
    const box = row?.querySelector(".row__select");
    if (!box) return;
    box.click();
    const from = all.indexOf(lastPicked);
    const to = all.indexOf(row);
    if (range && from >= 0) {
      for (const one of all.slice(Math.min(from, to), Math.max(from, to) + 1)) {
        const other = one.querySelector(".row__select");
        if (other) other.checked = box.checked;
      }
    }
    lastPicked = row;
  }

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing) return;
    const target = event.target;
    if (event.key === "Enter" && (event.metaKey || event.ctrlKey)) {
      const form = target.closest?.("form");
      if (form) { event.preventDefault(); form.requestSubmit(); }
      return;
    }
    if (event.key === "Escape") {
      const menu = target.closest?.("details.menu-anchor[open]");
      if (menu) { menu.open = false; menu.querySelector("summary")?.focus(); }
      else if (typing(target) && target.type !== "search") target.blur();
      return;
    }
    if (body.dataset.shortcuts !== "on" || event.metaKey || event.ctrlKey || event.altKey) return;
    if (typing(target) || document.querySelector("dialog[open]")) return;

    const key = event.key;
    const took = () => event.preventDefault();
    if (Date.now() - going < 1500) {
      going = 0;
      const link = document.querySelector(`[data-go="${CSS.escape(key)}"]`);
      if (link) { took(); link.click(); return; }
    }
    if (key === "g") { going = Date.now(); return; }
    if (key === "?") { took(); open(by("keys"), document.activeElement); return; }
    if (key === "/") {
      const box = document.querySelector("[data-search]");
      if (box) { took(); box.focus(); box.select?.(); }
      return;
    }
    if (key === "j" || key === "k") { took(); step(key === "j" ? 1 : -1); return; }
    if (key === "x" || key === "X") { took(); pick(key === "X"); return; }
    if (key.length !== 1) return;
    const selector = `[data-key="${CSS.escape(key)}"]`;
    const control = current()?.querySelector(selector) ?? document.querySelector(selector);
    if (control && !control.disabled) {
      took();
      if (control.matches("input:not([type=checkbox], [type=radio]), select, textarea")) control.focus();
      else control.click();
    }
  });
})();
