"""What Moodle's words for the state of an activity mean, in many languages.

Completed | Not completed | Completed (achieved pass grade) | Completed (set by Marguerite Holloway)
"""

from __future__ import annotations

import re
from functools import lru_cache

from loaders.names import clean, fold

_COMPLETE = """
Completed|Abgeschlossen|Terminé|Terminée|Achevé|Achevée|Finalizado|Completado|Completato|Concluída
Concluído|Voltooid|Completada|Completat|Osatuta|Osatua|Gennemført|Fullført|Slutfört|Suoritettu
Ukończona|Ukończone|Ukończono|Splněno|Absolvováno|Dokončené|Splnené|Zaključeno|Dovršeno|Završeno
Завршено|Изпълнено|Завършен|Завършена|Завършено|Finalizat|Teljesítve|Teljesítette|Ολοκληρώθηκε
Ολοκληρωμένο|Tamamlandı|Выполнено|Виконано|Завершено|Выканана|Baigtas|Baigta|Užbaigta|Pabeigts
Izpildīts|Lõpetatud|Sooritatud|הושלם|הושלמה|اكتمل|مكتمل|完了|已完成|完成|완료|เสร็จสมบูรณ์
Hoàn thành|Đã hoàn thành|Selesai
"""
_INCOMPLETE = """
Not completed|Nicht abgeschlossen|Pas terminé|Non terminé|Non achevé|Non achevée|Non rempli
No finalizado|No completado|Non completato|Por concluir|Não concluída|Não concluído|Não concluído(a)
Niet voltooid|No completada|No completat|Osatu gabe|Osatu gabea|Ez osatua|Sen completar
Non completado|Ikke gennemført|Ikke fullført|Inte slutfört|Ej slutfört|Ei suoritettu|Nieukończona
Nieukończone|Nesplněno|Neabsolvováno|Nedokončené|Nesplnené|Ni zaključeno|Nije dovršeno|Nije završeno
Није завршено|Незавършена|Не е завършено|Неизпълнено|Nu este finalizat|Nu este completat|Nefinalizat
Nem teljesítette|Nincs teljesítve|Δεν ολοκληρώθηκε|Μη ολοκληρωμένο|Tamamlanmadı|Не выполнено
Не виконано|Не завершено|Нявыканана|Nebaigta|Neužbaigta|Nav pabeigts|Nav izpildīts|Lõpetamata
Sooritamata|לא הושלם|לא הושלמה|لم يكتمل|غير مكتمل|未完了|未完成|尚未完成|미완료|완료되지 않음
ไม่เสร็จสมบูรณ์|Chưa hoàn thành|Tidak selesai|Belum selesai
"""
# Parts of what stands in brackets; looked for in this order, as "not achieved" contains "achieved".
_FAIL = """
did not achieve|nicht erreicht|n'a pas atteint|no ha alcanzado|no obtuvo|no alcanz|não ating
não alcan|senza raggiungere|niet behaald|niet gehaald|onvoldoende|no s'ha|no han|ez du|nu s-a
nie uzyskano|ниже проходного|не вдалося|не постигната|не набран|未到達|未达|未達|未及格|alınamadı
neišlaikyta|tidak mencapai|không đạt|لم يحقق|nem érte el|inte uppnå|ikke oppnå|ikke opnå|ei saavut
nedosaž|nedosiah|non acadou|δεν
"""
_PASS = """
achieved pass|bestehensgrenze erreicht|mit erfolg|atteinte|niveau de réussite|ha alcanzado|alcanzó
atingiu|alcançado|raggiunta|voldoende cijfer|s'ha assolit|s-a obținut|uzyskano|dosaženo|dosiahnut
выше проходного|перевищено|с постигната|набраны|到達|及格|kazandı|išlaikyta|mencapai|đạt|حقق
megfelelt|uppnått|acadou
"""
_BY = """
set by {}|gesetzt von {}|défini par {}|établi par {}|configurado por {}|establecido por {}
impostato da {}|marcada por {}|marcado por {}|definido por {}|ingesteld door {}|establert per {}
estabelecido por {}|ustawione przez {}|setat de {}|отметил(а) {}|встановлено {}|отбелязано от {}
усталявана {}|{} による設定|由 {} 设置|由 {} 設定|由 {} 確認|{} tarafından ayarlandı|pažymėjo {}
ditetapkan oleh {}|disetel oleh {}|được đặt bởi {}|تم تحديده بواسطة {}|حدده {}|beállította {}
"""
_BRACKETS = re.compile(r"([^(（]*?)\s*[:：]?\s*[(（](.*)[)）]\s*")
State = tuple[str, str | None]


def _listed(words: str) -> list[str]:
    return [word for line in words.strip().splitlines() for word in line.split("|") if word]


_WORDS = dict.fromkeys(map(fold, _listed(_COMPLETE)), "complete") | dict.fromkeys(
    map(fold, _listed(_INCOMPLETE)), "incomplete"
)
_FAILS, _PASSES = [fold(word) for word in _listed(_FAIL)], [fold(word) for word in _listed(_PASS)]
_SETTERS = [
    re.compile(re.escape(word).replace(r"\{\}", "(.+)").replace(r"\ ", r"\s*"), re.IGNORECASE) for word in _listed(_BY)
]


@lru_cache(maxsize=10_000)
def state_of(text: str) -> State | None:
    """(complete, complete-pass, complete-fail or incomplete; who set it); None for an unknown word."""
    plain = clean(text)
    if (state := _WORDS.get(fold(plain))) is not None:
        return state, None
    brackets = _BRACKETS.fullmatch(plain)
    state = _WORDS.get(fold(brackets[1])) if brackets else None
    if state is None:
        return None
    for setter in _SETTERS:
        if found := setter.fullmatch(brackets[2].strip()):
            return state, found[1].strip()
    about = fold(brackets[2])
    if state == "complete" and any(word in about for word in _FAILS):
        return "complete-fail", None
    if state == "complete" and any(word in about for word in _PASSES):
        return "complete-pass", None
    return None
