"use strict";
// The page can be read without this: it filters, folds, copies and points.
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const one = (selector, root = document) => root.querySelector(selector);
  const requirements = all(".requirement");
  all(".tools, .filter, .copy").forEach((each) => { each.hidden = false; });

  // --- light and dark ---
  const themes = ["system", "light", "dark"];
  const theme = one("#theme");
  const remembered = (value) => {
    try { // a file that a browser opens may have no storage
      if (value !== undefined) localStorage.setItem("taskq-theme", value);
      return localStorage.getItem("taskq-theme");
    } catch { return null; }
  };
  const show = (name) => {
    if (name === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = name;
    theme.textContent = `Theme: ${name}`;
    theme.dataset.name = name;
  };
  const stored = remembered();
  show(themes.includes(stored) ? stored : "system");
  theme.addEventListener("click", () => {
    const next = themes[(themes.indexOf(theme.dataset.name) + 1) % themes.length];
    show(next);
    remembered(next);
  });

  // --- the filter ---
  const find = one("#find"), role = one("#role"), shown = one("#shown"), boxes = all("input[name=verdict]");
  const texts = new Map(requirements.map((each) => [each, one("summary", each).textContent.toLowerCase()]));
  const filter = () => {
    const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    const verdicts = new Set(boxes.filter((box) => box.checked).map((box) => box.value));
    let count = 0;
    for (const each of requirements) {
      const fits = verdicts.has(each.dataset.verdict) && (!role.value || each.dataset.role === role.value)
        && words.every((word) => texts.get(each).includes(word));
      each.hidden = !fits;
      count += fits;
    }
    all(".group").forEach((group) => { group.hidden = !one(".requirement:not([hidden])", group); });
    shown.textContent = `${count} of ${requirements.length} shown`;
  };
  one(".filter").addEventListener("submit", (event) => event.preventDefault());
  [find, role, ...boxes].forEach((each) => ["input", "change"].forEach((event) => each.addEventListener(event, filter)));
  const fold = (open) => requirements.forEach((each) => { if (!each.hidden) one("details", each).open = open; });
  one("#unfold").addEventListener("click", () => fold(true));
  one("#foldup").addEventListener("click", () => fold(false));

  // --- a link to a requirement, or to a row in one, opens it ---
  const arrive = () => {
    let name = location.hash.slice(1);
    try { name = decodeURIComponent(name); } catch { /* as it is */ }
    const target = name && document.getElementById(name);
    const requirement = target && target.closest(".requirement");
    if (!requirement) return;
    if (requirement.hidden) {
      find.value = "";
      role.value = "";
      boxes.forEach((box) => { box.checked = true; });
      filter();
    }
    for (let inner = target; inner !== requirement; inner = inner.parentElement) if (inner.tagName === "DETAILS") inner.open = true;
    const details = one("details", requirement);
    details.open = true;
    target.scrollIntoView({ block: target === requirement ? "start" : "center" });
    if (target === requirement) one("summary", requirement).focus({ preventScroll: true });
  };
  addEventListener("hashchange", arrive);

  // --- copying ---
  all(".copy").forEach((button) => button.addEventListener("click", async () => {
    const code = one("code", button.parentElement), label = button.firstChild;
    try {
      await navigator.clipboard.writeText(code.textContent);
      label.data = "Copied";
    } catch { // without permission it is selected, to be copied by hand
      getSelection().selectAllChildren(code);
      label.data = "Selected";
    }
    setTimeout(() => { label.data = "Copy"; }, 2000);
  }));

  // --- timelines: what is pointed at, or stepped to with the arrows, is shown below ---
  all(".timeline").forEach((figure) => {
    const panel = one(".panel", figure), steps = all("a.step, a.jump", figure);
    if (!steps.length) return;
    const place = (step) => Number(step.getAttribute("href").split("-").pop());
    steps.sort((a, b) => place(a) - place(b));
    const tell = (step) => {
      panel.hidden = false;
      steps.forEach((each) => each.classList.toggle("now", each === step));
      const row = document.getElementById(step.getAttribute("href").slice(1));
      panel.textContent = row ? all("code, .all", row).map((each) => each.textContent).join("\n") : one("title", step).textContent;
      const number = row && one("td", row).textContent;
      if (number) panel.textContent = `${number}  ${panel.textContent}`;
    };
    steps[0].setAttribute("tabindex", "0");
    steps.forEach((step, place) => {
      ["pointerenter", "focus"].forEach((event) => step.addEventListener(event, () => tell(step)));
      step.addEventListener("keydown", (event) => {
        const next = { ArrowRight: place + 1, ArrowLeft: place - 1, Home: 0, End: steps.length - 1 }[event.key];
        if (next === undefined || !steps[next]) return;
        event.preventDefault();
        steps.forEach((each) => each.setAttribute("tabindex", each === steps[next] ? "0" : "-1"));
        steps[next].focus();
        steps[next].scrollIntoView({ block: "nearest", inline: "nearest" });
      });
    });
    const middle = one(".overlap, .witness rect", figure), scroll = one(".frame .scroll", figure);
    if (middle && middle.x) scroll.scrollLeft = middle.x.baseVal.value - scroll.clientWidth / 3;
  });

  // --- on paper everything is open ---
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = all("details:not([open])");
    closed.forEach((each) => { each.open = true; });
  });
  addEventListener("afterprint", () => closed.forEach((each) => { each.open = false; }));

  arrive();
})();
