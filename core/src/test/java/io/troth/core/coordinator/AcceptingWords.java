package io.troth.core.coordinator;

import io.troth.core.ErrorCode;
import io.troth.core.Reason;
import io.troth.core.ScenarioWords;

/**
 * What {@code accepting} says in a scenario: {@code yes}, or {@code no} and why, which is a drain unless said. What is
 * begun all the same is refused for the same reason, but in a drain, where {@code refusing=} may say another one.
 */
final class AcceptingWords {

    private AcceptingWords() {}

    static Event event(ScenarioWords words) {
        Reason also = words.has("refusing") ? reason(words.value("refusing")) : null;
        if (words.flag("yes")) {
            return new Event.AcceptingChanged(true, Reason.of(ErrorCode.DRAINING), null);
        }
        boolean named = words.flag("no") && !words.isEmpty();
        Reason why = named ? reason(words.next()) : Reason.of(ErrorCode.DRAINING);
        return new Event.AcceptingChanged(false, why, why.code() == ErrorCode.DRAINING ? also : why);
    }

    private static Reason reason(String code) {
        return Reason.of(ErrorCode.valueOf(code));
    }
}
