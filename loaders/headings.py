"""Words of Moodle's column headers in many languages.

Only words that decide something stand here; any other column is a detail of the person, under its own
header. A JSON download keeps of each header its ASCII letters only (`First name` -> `firstname`), so every
word is known in that form too.
"""

from __future__ import annotations

import re

from loaders.names import fold

_KANA = re.compile("[\u3041-\u30ff]")
_SQUEEZED = re.compile(r"[^a-z0-9_-]")

_FIRST = """
First name|Vorname|Prénom|Nombre|Nome|Nome próprio|Voornaam|Nom|Izena|Fornavn|Förnamn|Fornamn
Etunimi|Fornafn|Imię|Křestní jméno|Jméno|Krstné meno|Meno|Ime|Vaše ime|Име|Собствено име|Prenume
Keresztnév|Utónév|Όνομα|Ad|Adı|Имя|Ім'я|Імя|Vardas|Vārds|Eesnimi|Emri|שם פרטי|الاسم الأول|نام|名
名字|이름|ชื่อ|Tên|Tên đệm và tên|Nama depan|Nama pertama|प्रथम नाम|पहला नाम|სახელი|Անուն|Аты|Нэр
Céadainm|Enw cyntaf|Noemnaam|Ism|Pangalan
"""
_LAST = """
Last name|Surname|Nachname|Nom|Nom de famille|Apellido(s)|Apellidos|Apellido|Cognome|Apelido
Apelidos|Sobrenome|Achternaam|Cognoms|Deitura|Deiturak|Abizena|Abizenak|Efternavn|Efternamn
Etternavn|Etternamn|Sukunimi|Eftirnafn|Nazwisko|Příjmení|Priezvisko|Priimek|Prezime|Презиме|Фамилия
Фамилно име|Nume|Nume de familie|Vezetéknév|Επώνυμο|Soyad|Soyadı|Прізвище|Прозвішча|Pavardė|Uzvārds
Perekonnanimi|Perenimi|Mbiemri|שם משפחה|الاسم الأخير|اسم العائلة|نام خانوادگی|姓|姓氏|성|นามสกุล|Họ
Nama belakang|Nama akhir|सरनेम|कुलनाम|გვარი|Ազգանուն|Тегі|Овог|Sloinne|Cyfenw|Van|Familiya|Apelyido
"""
_GROUPS = """
Groups|Gruppen|Groupes|Grupos|Gruppi|Groepen|Grups|Taldeak|Grupper|Ryhmät|Hópar|Grupy|Skupiny
Skupine|Grupe|Групе|Групи|Grupuri|Csoportok|Ομάδες|Gruplar|Группы|Групы|Grupės|Grupas|Rühmad|Grupet
קבוצות|مجموعات|المجموعات|گروه‌ها|グループ|组|小组|群组|群組|모둠|그룹|กลุ่ม|Nhóm|Các nhóm|Grup
Kelompok|Kumpulan|समूह|ग्रूप्स|ჯგუფები|Խմբեր|Топтар|Бүлэг|Grúpaí|Grwpiau|Groepe|Guruhlar
"""
_GROUP = """
Group|Gruppe|Groupe|Grupo|Gruppo|Groep|Grup|Taldea|Grupp|Ryhmä|Hópur|Grupa|Skupina|Група|Csoport
Ομάδα|Группа|Grupė|Rühm|Grupi|קבוצה|مجموعة|المجموعة|گروه|グループ|组|小组|群组|群組|모둠|그룹|กลุ่ม
Nhóm|Kelompok|Kumpulan|समूह|ჯგუფი|Խումբ
"""
_GROUPING = """
Grouping|Gruppierung|Groupement|Agrupamiento|Agrupación|Raggruppamento|Agrupamento|Groepering
Agrupament|Taldekatzea|Storgruppe|Storgrupper|Gruppering|Gruppindelning|Hovedgruppe|Ryhmittely
Grupowanie|Grupa nadrzędna|Grupy nadrzędne|Seskupení|Zoskupenie|Skupek|Grupiranje|Grupisanje
Груписање|Групирање|Grupare|Csoportosítás|Ομαδοποίηση|Gruplama|Поток|Групування|Grupavimas|Grupējums
Rühmitamine|אוסף קבוצות|مجموعات كبرى|تجميع|التجميع|گروه‌بندی|グルーピング|大组|分组|班|分組|大群組
모둠무리|จัดกลุ่ม|Tổ|Phân nhóm|Pengelompokan|Խմբավորում
"""
_ID_NUMBER = """
ID number|ID-Nummer|Numéro d'identification|Número de ID|Número de identificación|Numero ID
Codice identificativo|Código de identificação|Número de identificação|ID-nummer|Nummer (ID)
Número ID|Número d'identificació|ID zenbakia|Id-nummer|ID nummer|Tunnistenumero|Auðkennitala
Numer ID|Numer identyfikacyjny|ID|Identifikační číslo|Číslo ID|Identifikacijska številka|ID broj
Identifikacioni broj|Идентификациони број|Ид. број|Идентификатор|Număr ID|Număr de identificare
Azonosítószám|Azonosító szám|Αριθμός ταυτότητας|Kimlik numarası|ID numarası|Öğrenci no
Индивидуальный номер|Індивідуальний номер|Ідентифікаційний номер|Індывідуальны нумар|ID numeris
ID numurs|Numri ID|מספר זיהוי|מספר זהות|رقم التعريف|الرقم التعريفي|کد شناسایی|IDナンバー|学号|ID号码
ID号|識別號碼|學號|아이디 번호|식별 번호|학번|id 번호|หมายเลข ID|รหัสประจำตัว|Mã số ID|Mã số
Nomor ID|Nomor induk|Nombor ID|ID संख्या|ID համար
"""
_USERNAME = """
Username|Anmeldename|Nom d'utilisateur|Nombre de usuario|Nome utente|Nome de utilizador
Nome de usuário|Identificação de usuário|Gebruikersnaam|Nom d'usuari|Erabiltzaile-izena
Nome de usuario|Brugernavn|Användarnamn|Brukernavn|Brukarnamn|Käyttäjätunnus|Notendanafn
Nazwa użytkownika|Uživatelské jméno|Používateľské meno|Uporabniško ime|Korisničko ime|Корисничко име
Потребителско име|Nume utilizator|Utilizator|Felhasználónév|Όνομα χρήστη|Kullanıcı adı|Kullanıcıadı
Логин|Имя пользователя|Логін|Naudotojo vardas|Lietotājvārds|Kasutajanimi|שם משתמש|اسم المستخدم
نام کاربری|ユーザ名|ユーザー名|用户名|帳號|使用者名稱|사용자 아이디|사용자명|ชื่อผู้ใช้
Tên đăng nhập|Kí danh|Nama pengguna
"""
_EMAIL = """
Email address|Email|E-Mail-Adresse|E-Mail|Adresse de courriel|Courriel|Dirección de correo
Correo electrónico|E-mail|Dirección Email|Indirizzo email|Endereço de e-mail|Endereço de email
E-mailadres|Adreça electrònica|Correu electrònic|Adreça de correu|E-posta helbidea
Enderezo de correo electrónico|E-mailadresse|E-postadress|E-postadresse|Sähköpostiosoite
E-mailová adresa|Emailová adresa|Naslov e-pošte|E-pošta|Adresa e-pošte|Адреса е-поште|Имейл адрес
Adresă email|Adresă de e-mail|E-mail cím|Διεύθυνση ηλεκτρονικού ταχυδρομείου|E-posta adresi
Адрес электронной почты|Електронна пошта|El. pašto adresas|E-pasta adrese|E-posti aadress
כתובת דואר אלקטרוני|عنوان البريد الإلكتروني|آدرس پست الکترونیک|メールアドレス|电子邮件地址|电子邮件
電子郵件|이메일 주소|อีเมล|Thư điện tử|Địa chỉ thư điện tử|Alamat email
"""
_SUSPENDED = """
Suspended|Gesperrt|Zugang gesperrt|Suspendu|Suspendido|Sospeso|Suspenso|Geschorst|Opgeschort|Suspès
Etenda|Suspendat|Suspenderet|Avstängd|Suspendert|Poissuljettu|Zawieszony|Zawieszone|Pozastaveno
Pozastavený|Suspendirano|Suspendiran|Felfüggesztve|Σε αναστολή|Askıya alındı|Askıya alınmış
Приостановлен|Заблокирован|Призупинено|停止|一時停止|已暂停|已中止|已休學|정지|정지됨
"""
# What the other identity fields are called where they are kept, and in some languages.
_DETAILS = {
    "Phone": "Phone|Phone number|Telefon|Téléphone|Teléfono|Telefono|Telefone|Telefoon|Телефон|電話|电话",
    "Mobile phone": "Mobile phone|Mobiltelefon|Téléphone mobile|Teléfono móvil|Cellulare|携帯電話|手机",
    "Department": "Department|Abteilung|Département|Departamento|Dipartimento|Afdeling|Отдел|部門|部门",
    "Institution": "Institution|Institución|Istituzione|Instituição|Instelling|Учреждение|機関|机构|機構",
    "City/town": "City/town|Stadt/Ort|Ort|Ville|Ciudad|Città|Cidade|Plaats|Población|Город|都道府県|市/县",
    "Country": "Country|Land|Pays|País|Paese|Nazione|Страна|国|国家和地区|國家",
    "Address": "Address|Adresse|Dirección|Indirizzo|Endereço|Adres|Adreça|Адрес|住所|地址",
}


def _forms(words: str) -> frozenset[str]:
    """Every word in the form to compare, and as a JSON download squeezes it."""
    listed = [fold(word) for line in words.strip().splitlines() for word in line.split("|") if word.strip()]
    squeezed = (_SQUEEZED.sub("", word.lower()) for word in listed)
    return frozenset(listed) | {word for word in squeezed if len(word) > 3}


WORDS = {
    "firstname": _forms(_FIRST),
    "lastname": _forms(_LAST),
    "groups": _forms(_GROUPS),
    "group": _forms(_GROUP),
    "grouping": _forms(_GROUPING),
    "idnumber": _forms(_ID_NUMBER),
    "username": _forms(_USERNAME),
    "email": _forms(_EMAIL),
    "suspended": _forms(_SUSPENDED),
}
_DETAIL_WORDS = {word: name for name, words in _DETAILS.items() for word in _forms(words)}


def says(header: str, what: str) -> bool:
    """Whether a header is a word for `what` (a key of WORDS) in any language."""
    return fold(header) in WORDS[what]


def detail_name(header: str) -> str | None:
    """The English name of a usual identity field (`Stadt/Ort` -> `City/town`); None for any other header."""
    return _DETAIL_WORDS.get(fold(header))


def is_identity(header: str) -> bool:
    """Whether a header is one of Moodle's own identity fields."""
    return detail_name(header) is not None or any(says(header, what) for what in ("email", "idnumber", "username"))


def name_columns(header: list[str], start: int = 0) -> tuple[int, int] | None:
    """(column of first names, column of last names) if these start at `start`, in either order."""
    if len(header) < start + 2:
        return None
    one, other = header[start : start + 2]
    if says(one, "firstname") and says(other, "lastname"):
        return start, start + 1
    if says(one, "lastname") and says(other, "firstname"):
        return start + 1, start
    return None


def year_first(header: list[str]) -> bool:
    """Whether these are headers of a language that writes a two-digit year first: Japanese or Basque."""
    text = " ".join(header)
    return _KANA.search(text) is not None or "erabiltzaile" in fold(text)
