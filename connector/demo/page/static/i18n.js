// The page's own words in three languages. What people write to each other is never translated.

const WORDS = {
  ca: {
    title: "Demostració: el telèfon del veí i la taula de l'Ajuntament",
    brand_line: "Del telèfon a la taula de l'Ajuntament",
    language: "Idioma", theme: "Aspecte", theme_auto: "Automàtic", theme_light: "Clar", theme_dark: "Fosc",
    tab_phone: "Telèfon", tab_desk: "Taula", tabs: "Parts de la demostració",
    phone: "Telèfon d'un veí", desk: "Taula municipal", skip: "Ves a la taula municipal",
    guide: "Primers passos", guide_close: "Amaga els passos", guide_open: "Mostra els passos", done: "fet",
    step1: "Escriu «Hola» al telèfon", step1_more: "i tria les opcions tocant o escrivint",
    step2: "Envia un avís", step2_more: "amb una foto o un lloc: es crea el tiquet",
    step3: "Respon des de la taula", step3_more: "la resposta arriba al telèfon",
    whose: "De qui és el telèfon?", add_person: "Afegeix una persona", hidden: "número amagat",
    unread: "{n} sense llegir", name: "Nom", phone_number: "Telèfon", hide_number: "Amaga el número",
    hide_number_more: "L'Ajuntament només veu un identificador", add: "Afegeix",
    close: "Tanca", back: "Enrere", send: "Envia", example_phone: "p. ex. 34600000009",
    online: "en línia", typing: "escrivint…", offline: "sense connexió amb el servidor de la demostració",
    empty_chat: "Encara no hi ha cap missatge", empty_chat_more: "Escriu a l'Ajuntament com ho faries des del teu telèfon.",
    say_hello: "Hola", write_message: "Escriu un missatge", attach: "Adjunta", conversation: "Conversa",
    today: "Avui", yesterday: "Ahir",
    st_sent: "enviat", st_delivered: "lliurat", st_read: "llegit", st_failed: "no enviat", st_accepted: "enviant",
    from_town: "{town} diu", from_me: "Tu dius", choose_one: "Tria una opció", send_location: "Envia la ubicació",
    message_menu: "Opcions del missatge", reply: "Respon citant", react: "Reacciona amb {emoji}", unreact: "Treu la reacció",
    replying_to: "En resposta a", stop_reply: "Deixa de citar", you: "Tu", reaction: "Reacció {emoji}",
    photo: "Foto", document: "Document", voice: "Nota de veu", place: "Lloc", own_file: "Un fitxer teu",
    sample_photo: "Fotos d'exemple", sample_document: "Document d'exemple", sample_voice: "Nota de veu d'exemple",
    caption: "Peu de foto (opcional)", choose_photo: "Tria una foto", choose_document: "Tria un document",
    choose_voice: "Tria una nota de veu", choose_place: "Tria un lloc",
    pic_lamp: "Fanal espatllat", pic_pothole: "Sot al carrer", pic_bin: "Contenidor ple", pic_bench: "Banc trencat",
    my_position: "La meva posició", map: "Mapa de la vila", map_help: "Toca el mapa, o mou l'agulla amb les fletxes.",
    open_map: "Obre a OpenStreetMap",
    image: "Imatge", video: "Vídeo", audio: "Àudio", sticker: "Adhesiu", contact: "Contacte", file: "Fitxer",
    template: "Plantilla", unsupported: "Missatge d'un tipus que aquest telèfon no mostra", edited: "Editat", removed: "Missatge eliminat",
    you_are: "Qui ets", filter: "Filtre dels tiquets", mine: "Els meus", all: "Tots", tickets: "Tiquets", ticket_list: "Llista de tiquets",
    no_tickets: "Encara no hi ha tiquets", no_tickets_more: "Quan un veí enviï un avís, sortirà aquí tot sol.",
    no_mine: "Cap tiquet assignat a tu", no_mine_more: "A «Tots» hi ha els de tot l'Ajuntament.",
    pick_ticket: "Tria un tiquet de la llista", pick_ticket_more: "Aquí en veuràs el text, les fotos i el lloc, i podràs respondre.",
    new: "Per llegir", new_ticket: "Tiquet nou: {subject}", assigned: "Assignat a", nobody: "Sense assignar",
    tracker: "Tipus", status: "Estat", category: "Categoria",
    details: "Dades", description: "Missatge del veí", photos: "Fotos i documents", history: "Historial",
    no_history: "Encara no hi ha cap resposta ni nota.", private: "Privada", public: "Pública",
    private_more: "només personal", public_more: "visible pel ciutadà", changed: "canvi", attached: "Adjunt afegit",
    answer: "La teva resposta", public_answer: "Resposta al ciutadà", public_answer_more: "La rebrà al WhatsApp",
    private_note: "Nota interna", private_note_more: "Només la veu el personal",
    write_answer: "Escriu la resposta que rebrà el ciutadà", write_note: "Escriu una nota per a l'equip",
    add_files: "Adjunta", remove_file: "Treu {name}", send_public: "Envia al ciutadà",
    send_private: "Desa la nota interna", send_status: "Desa l'estat",
    sent_public: "Resposta desada: en un moment arriba al telèfon.", sent_private: "Nota interna desada.", sent_status: "Estat desat.",
    nothing_to_send: "Escriu un text, adjunta un fitxer o canvia l'estat.",
    became_public: "Atenció: Redmine ha desat la nota com a PÚBLICA, perquè aquesta persona no té permís per fer notes privades.",
    opened_at: "Obre a Redmine", zoom: "Amplia {name}", download: "Baixa {name}",
    error_send: "No s'ha pogut enviar: {why}", error_load: "La taula no pot llegir Redmine: {why}", error_server: "el servidor no respon",
    set_to: "{name}: {value}", from_to: "{name}: {old} → {value}", cleared: "{name}: buidat", priority: "Prioritat",
    no_staff: "no hi ha la clau de cap persona de l'Ajuntament (connector demo --desk-key)",
    publish: "Publica", publish_heading: "Publica al web municipal", publish_where: "Sortirà a la pàgina «Notícies» dels telèfons i arribarà a qui s’hi ha subscrit («Rebre notícies», al menú). Una alerta, igual, a «Avisos».",
    publish_title: "Títol", publish_text: "Text", publish_link: "Enllaç", optional: "(opcional)",
    publish_alert: "És una alerta", publish_alert_more: "Es veurà damunt del menú durant 24 hores", publish_go: "Publica-ho", cancel: "Cancel·la",
    publish_wrong_title: "Escriu-hi un títol.", publish_wrong_text: "Escriu-hi un text.", publish_wrong_link: "Ha de ser una adreça sencera: https://…",
    published: "Publicat: ja és a «Notícies».", published_alert: "Alerta publicada: ja surt damunt del menú.",
  },
  es: {
    title: "Demostración: el teléfono del vecino y la mesa del Ayuntamiento",
    brand_line: "Del teléfono a la mesa del Ayuntamiento",
    language: "Idioma", theme: "Aspecto", theme_auto: "Automático", theme_light: "Claro", theme_dark: "Oscuro",
    tab_phone: "Teléfono", tab_desk: "Mesa", tabs: "Partes de la demostración",
    phone: "Teléfono de un vecino", desk: "Mesa municipal", skip: "Ir a la mesa municipal",
    guide: "Primeros pasos", guide_close: "Ocultar los pasos", guide_open: "Mostrar los pasos", done: "hecho",
    step1: "Escribe «Hola» en el teléfono", step1_more: "y elige las opciones tocando o escribiendo",
    step2: "Envía un aviso", step2_more: "con una foto o un lugar: se crea el tique",
    step3: "Responde desde la mesa", step3_more: "la respuesta llega al teléfono",
    whose: "¿De quién es el teléfono?", add_person: "Añadir una persona", hidden: "número oculto",
    unread: "{n} sin leer", name: "Nombre", phone_number: "Teléfono", hide_number: "Ocultar el número",
    hide_number_more: "El Ayuntamiento solo ve un identificador", add: "Añadir",
    close: "Cerrar", back: "Atrás", send: "Enviar", example_phone: "p. ej. 34600000009",
    online: "en línea", typing: "escribiendo…", offline: "sin conexión con el servidor de la demostración",
    empty_chat: "Todavía no hay mensajes", empty_chat_more: "Escribe al Ayuntamiento como lo harías desde tu teléfono.",
    say_hello: "Hola", write_message: "Escribe un mensaje", attach: "Adjuntar", conversation: "Conversación",
    today: "Hoy", yesterday: "Ayer",
    st_sent: "enviado", st_delivered: "entregado", st_read: "leído", st_failed: "no enviado", st_accepted: "enviando",
    from_town: "{town} dice", from_me: "Tú dices", choose_one: "Elige una opción", send_location: "Enviar ubicación",
    message_menu: "Opciones del mensaje", reply: "Responder citando", react: "Reaccionar con {emoji}", unreact: "Quitar la reacción",
    replying_to: "En respuesta a", stop_reply: "Dejar de citar", you: "Tú", reaction: "Reacción {emoji}",
    photo: "Foto", document: "Documento", voice: "Nota de voz", place: "Lugar", own_file: "Un archivo tuyo",
    sample_photo: "Fotos de ejemplo", sample_document: "Documento de ejemplo", sample_voice: "Nota de voz de ejemplo",
    caption: "Pie de foto (opcional)", choose_photo: "Elige una foto", choose_document: "Elige un documento",
    choose_voice: "Elige una nota de voz", choose_place: "Elige un lugar",
    pic_lamp: "Farola averiada", pic_pothole: "Bache en la calle", pic_bin: "Contenedor lleno", pic_bench: "Banco roto",
    my_position: "Mi posición", map: "Mapa del pueblo", map_help: "Toca el mapa o mueve la chincheta con las flechas.",
    open_map: "Abrir en OpenStreetMap",
    image: "Imagen", video: "Vídeo", audio: "Audio", sticker: "Pegatina", contact: "Contacto", file: "Archivo",
    template: "Plantilla", unsupported: "Mensaje de un tipo que este teléfono no muestra", edited: "Editado", removed: "Mensaje eliminado",
    you_are: "Quién eres", filter: "Filtro de los tiques", mine: "Los míos", all: "Todos", tickets: "Tiques", ticket_list: "Lista de tiques",
    no_tickets: "Todavía no hay tiques", no_tickets_more: "Cuando un vecino envíe un aviso, aparecerá aquí solo.",
    no_mine: "Ningún tique asignado a ti", no_mine_more: "En «Todos» están los de todo el Ayuntamiento.",
    pick_ticket: "Elige un tique de la lista", pick_ticket_more: "Aquí verás el texto, las fotos y el lugar, y podrás responder.",
    new: "Sin leer", new_ticket: "Tique nuevo: {subject}", assigned: "Asignado a", nobody: "Sin asignar",
    tracker: "Tipo", status: "Estado", category: "Categoría",
    details: "Datos", description: "Mensaje del vecino", photos: "Fotos y documentos", history: "Historial",
    no_history: "Todavía no hay ninguna respuesta ni nota.", private: "Privada", public: "Pública",
    private_more: "solo personal", public_more: "visible para el ciudadano", changed: "cambio", attached: "Adjunto añadido",
    answer: "Tu respuesta", public_answer: "Respuesta al ciudadano", public_answer_more: "La recibirá en WhatsApp",
    private_note: "Nota interna", private_note_more: "Solo la ve el personal",
    write_answer: "Escribe la respuesta que recibirá el ciudadano", write_note: "Escribe una nota para el equipo",
    add_files: "Adjuntar", remove_file: "Quitar {name}", send_public: "Enviar al ciudadano",
    send_private: "Guardar la nota interna", send_status: "Guardar el estado",
    sent_public: "Respuesta guardada: en un momento llega al teléfono.", sent_private: "Nota interna guardada.", sent_status: "Estado guardado.",
    nothing_to_send: "Escribe un texto, adjunta un archivo o cambia el estado.",
    became_public: "Atención: Redmine ha guardado la nota como PÚBLICA, porque esta persona no tiene permiso para notas privadas.",
    opened_at: "Abrir en Redmine", zoom: "Ampliar {name}", download: "Descargar {name}",
    error_send: "No se ha podido enviar: {why}", error_load: "La mesa no puede leer Redmine: {why}", error_server: "el servidor no responde",
    set_to: "{name}: {value}", from_to: "{name}: {old} → {value}", cleared: "{name}: vaciado", priority: "Prioridad",
    no_staff: "no hay la clave de ninguna persona del Ayuntamiento (connector demo --desk-key)",
    publish: "Publicar", publish_heading: "Publicar en la web municipal", publish_where: "Saldrá en la página «Noticias» de los teléfonos y llegará a quien se haya suscrito («Recibir noticias», en el menú). Una alerta, igual, en «Avisos».",
    publish_title: "Título", publish_text: "Texto", publish_link: "Enlace", optional: "(opcional)",
    publish_alert: "Es una alerta", publish_alert_more: "Se verá encima del menú durante 24 horas", publish_go: "Publicar", cancel: "Cancelar",
    publish_wrong_title: "Escribe un título.", publish_wrong_text: "Escribe un texto.", publish_wrong_link: "Tiene que ser una dirección entera: https://…",
    published: "Publicado: ya está en «Noticias».", published_alert: "Alerta publicada: ya sale encima del menú.",
  },
  en: {
    title: "Demo: a resident's phone and the town hall's desk",
    brand_line: "From the phone to the town hall's desk",
    language: "Language", theme: "Appearance", theme_auto: "Automatic", theme_light: "Light", theme_dark: "Dark",
    tab_phone: "Phone", tab_desk: "Desk", tabs: "Parts of the demo",
    phone: "A resident's phone", desk: "Town hall desk", skip: "Skip to the desk",
    guide: "First steps", guide_close: "Hide the steps", guide_open: "Show the steps", done: "done",
    step1: "Write “Hola” on the phone", step1_more: "and choose by tapping or typing",
    step2: "Send a report", step2_more: "with a photo or a place: a ticket appears",
    step3: "Answer from the desk", step3_more: "the answer arrives on the phone",
    whose: "Whose phone is it?", add_person: "Add a person", hidden: "number hidden",
    unread: "{n} unread", name: "Name", phone_number: "Phone", hide_number: "Hide the number",
    hide_number_more: "The town hall only sees an identifier", add: "Add",
    close: "Close", back: "Back", send: "Send", example_phone: "e.g. 34600000009",
    online: "online", typing: "typing…", offline: "no connection to the demo's server",
    empty_chat: "No messages yet", empty_chat_more: "Write to the town hall as you would from your own phone.",
    say_hello: "Hola", write_message: "Write a message", attach: "Attach", conversation: "Conversation",
    today: "Today", yesterday: "Yesterday",
    st_sent: "sent", st_delivered: "delivered", st_read: "read", st_failed: "not sent", st_accepted: "sending",
    from_town: "{town} says", from_me: "You say", choose_one: "Choose an option", send_location: "Send location",
    message_menu: "Message options", reply: "Reply", react: "React with {emoji}", unreact: "Remove the reaction",
    replying_to: "Replying to", stop_reply: "Stop replying", you: "You", reaction: "Reaction {emoji}",
    photo: "Photo", document: "Document", voice: "Voice note", place: "Place", own_file: "A file of yours",
    sample_photo: "Sample photos", sample_document: "Sample document", sample_voice: "Sample voice note",
    caption: "Caption (optional)", choose_photo: "Choose a photo", choose_document: "Choose a document",
    choose_voice: "Choose a voice note", choose_place: "Choose a place",
    pic_lamp: "Broken lamp", pic_pothole: "Pothole", pic_bin: "Full container", pic_bench: "Broken bench",
    my_position: "My position", map: "Map of the town", map_help: "Tap the map, or move the pin with the arrow keys.",
    open_map: "Open in OpenStreetMap",
    image: "Image", video: "Video", audio: "Audio", sticker: "Sticker", contact: "Contact", file: "File",
    template: "Template", unsupported: "A kind of message this phone does not show", edited: "Edited", removed: "Message deleted",
    you_are: "Who you are", filter: "Ticket filter", mine: "Mine", all: "All", tickets: "Tickets", ticket_list: "List of tickets",
    no_tickets: "No tickets yet", no_tickets_more: "When a resident sends a report it appears here by itself.",
    no_mine: "No ticket is assigned to you", no_mine_more: "“All” has those of the whole town hall.",
    pick_ticket: "Choose a ticket from the list", pick_ticket_more: "Its text, photos and place are shown here, and you can answer.",
    new: "Unread", new_ticket: "New ticket: {subject}", assigned: "Assigned to", nobody: "Unassigned",
    tracker: "Kind", status: "Status", category: "Category",
    details: "Details", description: "The resident's message", photos: "Photos and documents", history: "History",
    no_history: "No answers or notes yet.", private: "Private", public: "Public",
    private_more: "staff only", public_more: "visible to the resident", changed: "change", attached: "File added",
    answer: "Your answer", public_answer: "Answer to the resident", public_answer_more: "Goes to their WhatsApp",
    private_note: "Internal note", private_note_more: "Only staff see it",
    write_answer: "Write the answer the resident will get", write_note: "Write a note for the team",
    add_files: "Attach", remove_file: "Remove {name}", send_public: "Send to the resident",
    send_private: "Save the internal note", send_status: "Save the status",
    sent_public: "Answer saved: it reaches the phone in a moment.", sent_private: "Internal note saved.", sent_status: "Status saved.",
    nothing_to_send: "Write something, attach a file or change the status.",
    became_public: "Careful: Redmine stored the note as PUBLIC, because this person may not write private notes.",
    opened_at: "Open in Redmine", zoom: "Enlarge {name}", download: "Download {name}",
    error_send: "It could not be sent: {why}", error_load: "The desk cannot read Redmine: {why}", error_server: "the server does not answer",
    set_to: "{name}: {value}", from_to: "{name}: {old} → {value}", cleared: "{name}: cleared", priority: "Priority",
    no_staff: "there is no key of any member of staff (connector demo --desk-key)",
    publish: "Publish", publish_heading: "Publish on the town's website", publish_where: "It appears on the phones' page “News” and reaches those who subscribed (“Receive news” in the menu). An alert likewise, on “Notices”.",
    publish_title: "Title", publish_text: "Text", publish_link: "Link", optional: "(optional)",
    publish_alert: "It is an alert", publish_alert_more: "Shown above the menu for 24 hours", publish_go: "Publish it", cancel: "Cancel",
    publish_wrong_title: "Write a title.", publish_wrong_text: "Write a text.", publish_wrong_link: "It must be a whole address: https://…",
    published: "Published: it is on the page “News” now.", published_alert: "Alert published: it stands above the menu now.",
  },
};

export const LANGUAGES = [["ca", "Català"], ["es", "Castellano"], ["en", "English"]];

let language = "ca";
const listeners = new Set();

/** The words for `key` in the page's language; `{name}` parts are filled from `values`. */
export function t(key, values = {}) {
  const words = WORDS[language][key] ?? key;
  return words.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

export const currentLanguage = () => language;

/** Calls `listener` after every change of language. */
export function onLanguage(listener) {
  listeners.add(listener);
}

export function setLanguage(code) {
  if (!(code in WORDS)) return;
  language = code;
  document.documentElement.lang = code;
  document.title = t("title");
  fill(document);
  for (const listener of listeners) listener();
}

/** Puts words where `data-t`, `data-t-label` (aria-label and title) or `data-t-placeholder` ask for them. */
export function fill(root) {
  for (const node of root.querySelectorAll("[data-t]")) node.textContent = t(node.dataset.t);
  for (const node of root.querySelectorAll("[data-t-label]")) {
    node.setAttribute("aria-label", t(node.dataset.tLabel));
    if (node.matches("button, a")) node.title = t(node.dataset.tLabel);
  }
  for (const node of root.querySelectorAll("[data-t-placeholder]")) node.placeholder = t(node.dataset.tPlaceholder);
}

/** «14:05» */
export function clock(date) {
  return new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(date);
}

/** «Avui», «Ahir» or the date. */
export function day(date, now = new Date()) {
  const start = (d) => new Date(d.getFullYear(), d.getMonth(), d.getDate()).getTime();
  const days = Math.round((start(now) - start(date)) / 86_400_000);
  if (days === 0) return t("today");
  if (days === 1) return t("yesterday");
  return new Intl.DateTimeFormat(language, { day: "numeric", month: "long", year: "numeric" }).format(date);
}

/** «fa 5 minuts», in the page's language. */
export function age(date, now = new Date()) {
  const seconds = Math.max(0, (now.getTime() - date.getTime()) / 1000);
  const format = new Intl.RelativeTimeFormat(language, { numeric: "auto", style: "short" });
  if (seconds < 60) return format.format(0, "second");
  if (seconds < 3600) return format.format(-Math.floor(seconds / 60), "minute");
  if (seconds < 86_400) return format.format(-Math.floor(seconds / 3600), "hour");
  return format.format(-Math.floor(seconds / 86_400), "day");
}

export function fullDate(date) {
  return new Intl.DateTimeFormat(language, { dateStyle: "long", timeStyle: "short" }).format(date);
}

export const WORD_TABLES = WORDS;
