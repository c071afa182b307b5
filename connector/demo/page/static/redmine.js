// Redmine's REST API through the desk's proxy, as one member of staff.

import { t } from "./i18n.js";

export class RedmineError extends Error {}

/** One call as `login`. Returns the JSON answer, or null for an empty one; throws RedmineError with its words. */
export async function redmine(login, path, { method = "GET", body, type = "application/json" } = {}) {
  let answer;
  try {
    answer = await fetch(`/desk/redmine/${path}`, {
      method,
      headers: { "X-Desk-User": login, ...(body === undefined ? {} : { "Content-Type": type }) },
      body: body === undefined || body instanceof Blob ? body : JSON.stringify(body),
    });
  } catch {
    throw new RedmineError(t("error_server"));
  }
  const words = await answer.text();
  let json = null;
  try { json = words.trim() ? JSON.parse(words) : null; } catch { /* Redmine answers some errors in HTML */ }
  if (!answer.ok) throw new RedmineError(json?.errors?.join(" · ") || `HTTP ${answer.status}`);
  return json;
}

const blobs = new Map();

/** A blob: address of an attachment: <img> cannot send the header that says who looks. */
export function attachmentUrl(login, attachment) {
  const key = `${login} ${attachment.id}`;
  if (!blobs.has(key)) {
    const name = encodeURIComponent(attachment.filename);
    const loading = fetch(`/desk/redmine/attachments/download/${attachment.id}/${name}`, { headers: { "X-Desk-User": login } })
      .then((answer) => { if (!answer.ok) throw new RedmineError(`HTTP ${answer.status}`); return answer.blob(); })
      // Only kinds that cannot run anything keep their type.
      .then((data) => URL.createObjectURL(isImage(attachment) || /^(audio|video)\//.test(data.type) ? data : new Blob([data])));
    loading.catch(() => blobs.delete(key));
    blobs.set(key, loading);
  }
  return blobs.get(key);
}

export const isImage = (attachment) =>
  /^image\/(png|jpeg|gif|webp)$/.test(attachment.content_type ?? "") || /\.(png|jpe?g|gif|webp)$/i.test(attachment.filename ?? "");

/** Uploads files one after the other and returns what a ticket needs to take them. */
export async function upload(login, files) {
  const uploads = [];
  for (const file of files) {
    const path = `uploads.json?filename=${encodeURIComponent(file.name)}`;
    const made = await redmine(login, path, { method: "POST", body: file, type: "application/octet-stream" });
    uploads.push({ token: made.upload.token, filename: file.name, content_type: file.type || "application/octet-stream" });
  }
  return uploads;
}
