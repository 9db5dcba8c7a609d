"use strict";

// The list goes up as it is, so that how far it is can be shown; without script it goes in a form.
const form = document.getElementById("upload");
if (form) {
  const file = document.getElementById("file");
  const drop = document.getElementById("drop");
  const sending = document.getElementById("sending");
  const trouble = document.getElementById("trouble");
  const button = form.querySelector("button.main");
  const lang = document.documentElement.lang;

  const fail = (text) => {
    trouble.textContent = text;
    trouble.hidden = false;
    sending.textContent = "";
    button.disabled = false;
  };

  // A refusal is a page, in its language; what is none comes from somebody between.
  const refused = (request) => {
    const page = new DOMParser().parseFromString(request.responseText, "text/html");
    const ours = page.querySelector("main [role=alert]");
    return ours ? ours.textContent : form.dataset.refused.replace("#", request.status);
  };

  const send = (list) => {
    const query = new URLSearchParams({ name: list.name });
    const name = form.elements.group_name && form.elements.group_name.value.trim();
    if (name) query.set("group_name", name);
    else if (form.elements.group_id.value) query.set("group_id", form.elements.group_id.value);
    const request = new XMLHttpRequest();
    request.open("PUT", `${form.action}?${query}`);
    request.upload.addEventListener("progress", (event) => {
      const percent = Math.floor((100 * event.loaded) / event.total);
      sending.textContent = form.dataset.sending.replace("#", percent.toLocaleString(lang));
    });
    request.addEventListener("load", () => {
      if (request.status === 201) location.assign(form.dataset.jobs + JSON.parse(request.responseText).id);
      else fail(refused(request));
    });
    request.addEventListener("error", () => fail(form.dataset.lost));
    request.send(list);
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    trouble.hidden = true;
    const list = file.files[0];
    if (!list) return;
    if (list.size > Number(form.dataset.most)) return fail(form.dataset.large);
    button.disabled = true;
    send(list);
  });

  const over = (event) => {
    event.preventDefault();
    drop.classList.toggle("over", event.type === "dragover");
  };
  drop.addEventListener("dragover", over);
  drop.addEventListener("dragleave", over);
  drop.addEventListener("drop", (event) => {
    over(event);
    if (event.dataTransfer.files.length) file.files = event.dataTransfer.files;
  });
  // Whoever comes back by the browser's button may send again.
  window.addEventListener("pageshow", () => { button.disabled = false; sending.textContent = ""; });
}

// A job that is worked on tells when it has changed; what is shown of it comes from the server.
const live = document.getElementById("live");
if (live) {
  let busy = false;
  let again = false;

  const show = async () => {
    if (busy) {
      again = true;
      return;
    }
    busy = true;
    try {
      const reply = await fetch(live.dataset.live, { headers: { Accept: "text/html" } });
      if (reply.ok) {
        const page = new DOMParser().parseFromString(await reply.text(), "text/html");
        update(live, page.getElementById("live"));
      } else if (reply.status < 500) location.reload(); // it says why it is not shown any more
    } catch {
      // The server is being restarted: the events come back with it.
    }
    busy = false;
    if (again) {
      again = false;
      show();
    }
  };

  // What did not change stays in place, so that a screen reader says only what is new.
  const update = (old, fresh) => {
    for (const selector of ["progress", ".told", ".tiles"]) {
      const [was, is] = [old.querySelector(selector), fresh.querySelector(selector)];
      if (was && is && was.outerHTML !== is.outerHTML) {
        if (selector === ".told") was.textContent = is.textContent;
        else was.replaceWith(is);
      } else if (!was && is) old.append(is);
      else if (was && !is) was.remove();
    }
  };

  const follow = () => {
    const events = new EventSource(live.dataset.events);
    events.addEventListener("job", (event) => {
      if (JSON.parse(event.data).state === live.dataset.state) show();
      else location.reload();
    });
    // It comes back by itself, but not from an answer that is an error: those of a proxy whose
    // server is being restarted.
    events.addEventListener("error", () => {
      if (events.readyState === EventSource.CLOSED) {
        show();
        setTimeout(follow, 2000);
      }
    });
  };
  follow();
}
