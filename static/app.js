/*
 * Behaviour of every page, bound by data attributes (listed in templates/components/README.md).
 * Nothing is evaluated and no style attribute is written, so a strict Content-Security-Policy holds.
 * Works on server-rendered pages; without this file links and forms still do their work.
 */
(function () {
  "use strict";

  const script = document.currentScript;
  const one = (selector, root) => (root || document).querySelector(selector);
  const all = (selector, root) => Array.from((root || document).querySelectorAll(selector));

  function announce(text, tone) {
    const place = one("#messages");
    if (!place) { return; }
    const box = document.createElement("div");
    box.className = "notice " + (tone || "info");
    const line = document.createElement("p");
    line.textContent = text;
    box.append(line);
    place.append(box);
  }

  /* ---- dialogs, toggles, small buttons ---- */

  function openDialog(dialog) {
    if (dialog && !dialog.open) { dialog.showModal(); }
  }

  async function openTrace(link) {
    const dialog = one("#trace-dialog");
    const body = one("#trace-dialog-body");
    one("#trace-dialog-title").textContent = link.dataset.traceTitle || "计算依据";
    body.textContent = "正在读取……";
    openDialog(dialog);
    try {
      await window.htmx.ajax("GET", link.href, { target: body, swap: "innerHTML" });
    } catch (failure) {
      body.textContent = "计算依据没有读到，请刷新页面后再试。";
    }
  }

  async function copy(button) {
    try {
      await navigator.clipboard.writeText(button.dataset.copy || window.location.href);
      announce("已复制到剪贴板。", "success");
    } catch (failure) {
      announce("浏览器不允许复制，请手工复制地址栏。", "warning");
    }
  }

  function toggle(button) {
    const target = document.getElementById(button.dataset.toggles);
    if (!target) { return; }
    target.hidden = !target.hidden;
    button.setAttribute("aria-expanded", String(!target.hidden));
    if (!target.hidden) { enhance(target); }
  }

  document.addEventListener("click", function (event) {
    const menu = one("details[data-menu][open]");
    if (menu && !menu.contains(event.target)) { menu.open = false; }
    const button = event.target.closest("[data-opens], [data-closes], [data-toggles], [data-copy], [data-print], [data-back], [data-trace]");
    if (!button) {
      if (event.target.matches("dialog[open]") && !event.target.querySelector("form[method=post]")) { event.target.close(); }
      return;
    }
    if (button.matches("[data-trace]")) {
      if (event.ctrlKey || event.metaKey || event.shiftKey || !window.htmx) { return; }
      event.preventDefault();
      openTrace(button);
    } else if (button.matches("[data-opens]")) {
      openDialog(document.getElementById(button.dataset.opens));
    } else if (button.matches("[data-closes]")) {
      button.closest("dialog").close();
    } else if (button.matches("[data-toggles]")) {
      toggle(button);
    } else if (button.matches("[data-copy]")) {
      copy(button);
    } else if (button.matches("[data-back]")) {
      window.history.back();
    } else {
      window.print();
    }
  });

  document.addEventListener("keydown", function (event) {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k" && one("[data-search]")) {
      event.preventDefault();
      one("[data-search]").focus();
    }
    if (event.key === "Escape") {
      const menu = one("details[data-menu][open]");
      if (menu) { menu.open = false; one("summary", menu).focus(); }
    }
  });

  /* Long tables are folded on small screens; without this file, on wide screens and on paper they are open. */
  const wide = window.matchMedia("(min-width: 768px)");
  const foldTables = (open) => all("details[data-folds]").forEach((fold) => { fold.open = open; });
  wide.addEventListener("change", () => foldTables(wide.matches));

  window.addEventListener("beforeprint", function () {
    foldTables(true);
    all("[data-print-open] .opened[hidden]").forEach((line) => { line.hidden = false; line.dataset.printed = "yes"; });
  });

  window.addEventListener("afterprint", function () {
    foldTables(wide.matches);
    all("[data-printed]").forEach((line) => { line.hidden = true; delete line.dataset.printed; });
  });

  /* ---- asking once before a dangerous act ---- */

  function confirmThen(source, proceed) {
    const dialog = one("#confirm-dialog");
    const amount = one("[data-confirm-slot=amount]", dialog);
    one("h2", dialog).textContent = source.dataset.confirmTitle || "请确认";
    one("[data-confirm-slot=text]", dialog).textContent = source.dataset.confirm;
    amount.textContent = source.dataset.confirmAmount || "";
    amount.hidden = !source.dataset.confirmAmount;
    one("[data-confirm-slot=ok]", dialog).textContent = source.dataset.confirmOk || "确认";
    dialog.returnValue = "";
    dialog.addEventListener("close", function () {
      if (dialog.returnValue === "ok") { proceed(); }
    }, { once: true });
    openDialog(dialog);
  }

  document.addEventListener("submit", function (event) {
    const form = event.target;
    const source = event.submitter && event.submitter.dataset.confirm ? event.submitter : form.dataset.confirm ? form : null;
    if (source && !form.dataset.confirmed) {
      event.preventDefault();
      event.stopImmediatePropagation();
      const submitter = event.submitter;
      confirmThen(source, function () {
        form.dataset.confirmed = "yes";
        form.requestSubmit(submitter);
        delete form.dataset.confirmed;
      });
      return;
    }
    if (form.matches("[data-upload]")) {
      event.preventDefault();
      sendUpload(form);
      return;
    }
    if (form.matches("[data-drop-drafts]")) { dropDrafts(); }
    delete form.dataset.changed;
    if (form.method === "post" && !form.matches("[hx-post]")) { holdButtons(form); }
  }, true);

  function holdButtons(form) {
    const buttons = all("button[type=submit], button:not([type])", form).filter((button) => !button.disabled);
    setTimeout(() => buttons.forEach((button) => { button.disabled = true; }), 0);
    setTimeout(() => buttons.forEach((button) => { button.disabled = false; }), 5000);
  }

  window.addEventListener("pageshow", function (event) {
    if (event.persisted) { all("form button[disabled]").forEach((button) => { button.disabled = false; }); }
  });

  window.addEventListener("beforeunload", function (event) {
    if (one("form[data-leave][data-changed]")) { event.preventDefault(); }
  });

  document.addEventListener("change", function (event) {
    const form = event.target.form;
    if (form && form.matches("[data-autosubmit]") && event.target.matches("select, input[type=date], input[type=month], input[type=checkbox], input[type=radio]")) {
      form.requestSubmit();
    }
    if (event.target.matches("[data-upload] input[type=file]")) { showChosen(event.target); }
  });

  /* ---- what was typed survives a session timeout ---- */

  const DRAFT = "draft:";
  const RELOGIN = "relogin-at";
  const KEEP_MINUTES = 60;
  const draftKey = () => DRAFT + document.body.dataset.user + ":" + window.location.pathname;
  const draftKeys = () => Object.keys(sessionStorage).filter((key) => key.startsWith(DRAFT));

  function dropDrafts() {
    draftKeys().forEach((key) => sessionStorage.removeItem(key));
    sessionStorage.removeItem(RELOGIN);
  }

  function draftFields(form) {
    return Array.from(form.elements).filter((field) => field.name && field.name !== "csrfmiddlewaretoken" &&
      !["password", "file", "hidden", "submit", "button", "reset"].includes(field.type) && !field.closest("[data-no-draft]"));
  }

  const formName = (form) => form.id || (form.getAttribute("action") || "") + "#" + all("form[method=post]").indexOf(form);
  const readJson = (key) => JSON.parse(sessionStorage.getItem(key) || "{}");

  document.addEventListener("input", function (event) {
    const form = event.target.form;
    if (!form || form.method !== "post" || !document.body.dataset.user) { return; }
    form.dataset.changed = "yes";
    const kept = draftFields(form).map((field) => [field.name, field.type, field.value,
      field.type === "checkbox" || field.type === "radio" ? field.checked : null]);
    const draft = readJson(draftKey());
    draft.forms = Object.assign(draft.forms || {}, { [formName(form)]: kept });
    draft.sent = false;
    try { sessionStorage.setItem(draftKey(), JSON.stringify(draft)); } catch (full) { dropDrafts(); }
  });

  document.addEventListener("submit", function (event) {
    if (event.defaultPrevented || event.target.method !== "post" || !sessionStorage.getItem(draftKey())) { return; }
    sessionStorage.setItem(draftKey(), JSON.stringify(Object.assign(readJson(draftKey()), { sent: true })));
  });

  function fill(form, kept) {
    let filled = 0;
    kept.forEach(function ([name, type, value, checked]) {
      draftFields(form).filter((field) => field.name === name).forEach(function (field) {
        if (type === "checkbox" || type === "radio") {
          if (field.value === value && field.checked !== checked) { field.checked = checked; filled += 1; }
        } else if (field.value !== value) {
          field.value = value;
          filled += 1;
        }
      });
    });
    return filled;
  }

  function keepDrafts() {
    if (one("[data-login-form]")) {
      draftKeys().forEach((key) => sessionStorage.setItem(key, JSON.stringify(Object.assign(readJson(key), { sent: false }))));
      if (draftKeys().length) { sessionStorage.setItem(RELOGIN, String(Date.now())); }
      return;
    }
    const again = Number(sessionStorage.getItem(RELOGIN) || 0);
    if (!again) {
      draftKeys().filter((key) => readJson(key).sent).forEach((key) => sessionStorage.removeItem(key));
      return;
    }
    const mine = DRAFT + document.body.dataset.user + ":";
    if (Date.now() - again > KEEP_MINUTES * 60000 || draftKeys().some((key) => !key.startsWith(mine))) { dropDrafts(); return; }
    const draft = readJson(draftKey());
    if (!draft.forms) { return; }
    let filled = 0;
    all("form[method=post]").forEach(function (form) {
      const kept = draft.forms[formName(form)];
      if (kept) { filled += fill(form, kept); }
    });
    sessionStorage.removeItem(draftKey());
    sessionStorage.removeItem(RELOGIN);
    if (filled) { announce("登录超时前填写的内容已恢复，请核对后重新提交。", "warning"); }
  }

  /* ---- uploads: drag, name and size, progress ---- */

  const sizeText = (bytes) => bytes < 1048576 ? (bytes / 1024).toFixed(1) + " KB" : (bytes / 1048576).toFixed(1) + " MB";

  function showChosen(input) {
    const zone = input.closest(".dropzone");
    if (!zone) { return; }
    const line = one(".chosen", zone) || zone.appendChild(Object.assign(document.createElement("p"), { className: "chosen" }));
    line.textContent = Array.from(input.files).map((file) => file.name + "（" + sizeText(file.size) + "）").join("、");
  }

  function enhanceDropzone(zone) {
    const input = one("input[type=file]", zone);
    if (!input || zone.dataset.ready) { return; }
    zone.dataset.ready = "yes";
    ["dragenter", "dragover"].forEach((name) => zone.addEventListener(name, function (event) {
      event.preventDefault();
      zone.classList.add("over");
    }));
    ["dragleave", "drop"].forEach((name) => zone.addEventListener(name, () => zone.classList.remove("over")));
    zone.addEventListener("drop", function (event) {
      event.preventDefault();
      if (event.dataTransfer.files.length) {
        input.files = event.dataTransfer.files;
        showChosen(input);
      }
    });
  }

  function sendUpload(form) {
    const request = new XMLHttpRequest();
    const bar = one("progress.upload-progress", form) || form.appendChild(Object.assign(document.createElement("progress"), { className: "upload-progress", max: 100 }));
    bar.setAttribute("aria-label", "上传进度");
    const buttons = all("button", form);
    buttons.forEach((button) => { button.disabled = true; });
    request.open("POST", form.action || window.location.href);
    request.upload.addEventListener("progress", function (event) {
      if (event.lengthComputable) { bar.value = Math.round(event.loaded / event.total * 100); }
    });
    request.addEventListener("error", function () {
      buttons.forEach((button) => { button.disabled = false; });
      bar.remove();
      announce("上传中断，网络或服务器没有应答，请重新上传。", "error");
    });
    request.addEventListener("load", () => replacePage(request.responseText, request.responseURL));
    request.send(new FormData(form));
  }

  function replacePage(html, address) {
    const page = new DOMParser().parseFromString(html, "text/html");
    const main = one("main", page);
    if (!main) { window.location.assign(address); return; }
    document.title = page.title;
    one("main").replaceWith(document.adoptNode(main));
    if (address !== window.location.href) { window.history.pushState({}, "", address); }
    if (window.htmx) { window.htmx.process(one("main")); }
    enhance(one("main"));
    keepDrafts();
    window.scrollTo(0, 0);
  }

  window.addEventListener("popstate", () => window.location.reload());

  /* ---- htmx: lost sessions and finished jobs ---- */

  document.addEventListener("htmx:beforeSwap", function (event) {
    const login = document.body.dataset.login;
    if (login && event.detail.xhr.responseURL && new URL(event.detail.xhr.responseURL).pathname === login) {
      event.preventDefault();
      window.location.assign(login + "?next=" + encodeURIComponent(window.location.pathname + window.location.search));
    } else if ([409, 422].includes(event.detail.xhr.status)) {
      event.detail.shouldSwap = true;
      event.detail.isError = false;
    }
  });

  document.addEventListener("htmx:load", function (event) {
    if (!loaded) { return; }
    if (event.detail.elt.matches("[data-reload-when-done] .progress-box:not([hx-get])")) { window.location.reload(); return; }
    enhance(event.detail.elt);
  });

  /* ---- what a freshly shown part of the page needs ---- */

  const widths = new ResizeObserver((entries) => entries.forEach(function (entry) {
    const wrap = entry.target;
    if (wrap.scrollWidth > wrap.clientWidth) { wrap.setAttribute("tabindex", "0"); } else { wrap.removeAttribute("tabindex"); }
  }));

  let chartsAsked = false;

  function drawCharts(root) {
    if (!one("[data-chart]", root) && !(root.matches && root.matches("[data-chart]"))) { return; }
    if (window.fundCharts) { window.fundCharts.draw(root); return; }
    if (chartsAsked) { return; }
    chartsAsked = true;
    const load = (address, next) => document.head.append(Object.assign(document.createElement("script"), { src: address, onload: next }));
    load(script.dataset.echarts, () => load(script.dataset.charts, () => window.fundCharts.draw(document)));
  }

  function enhance(root) {
    all(".table-wrap", root).forEach((wrap) => widths.observe(wrap));
    all(".dropzone", root).forEach(enhanceDropzone);
    all("dialog[data-open-now]", root).forEach(openDialog);
    drawCharts(root);
    const problems = one("[data-focus]", root);
    if (problems && !problems.closest("dialog")) { problems.focus(); }
  }

  let loaded = false;

  function start() {
    foldTables(wide.matches);
    enhance(document);
    keepDrafts();
    setTimeout(() => { loaded = true; }, 0);
  }

  if (document.readyState === "loading") { document.addEventListener("DOMContentLoaded", start); } else { start(); }
}());
