package io.troth.coordinator.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import org.junit.jupiter.api.Test;

/** Goal: what an operator or a peer named stays one value on one line. Method: another JSON reader takes it back. */
class JsonLineTest {

    @Test
    void everyCharacterComesBackAndNoneEndsTheLine() {
        StringBuilder all = new StringBuilder();
        for (char c = 0; c < 0x180; c++) {
            all.append(c);
        }
        String line = new JsonLine().add(all.toString(), all.toString()).toString();
        assertEquals(1, line.lines().count());
        JsonObject read = JsonParser.parseString(line).getAsJsonObject();
        assertEquals(all.toString(), read.get(all.toString()).getAsString());
    }
}
