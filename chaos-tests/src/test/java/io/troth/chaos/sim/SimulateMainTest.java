package io.troth.chaos.sim;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;

/** Goal: the command takes its options and ends with the right code. Method: in this process, with few seeds. */
class SimulateMainTest {

    @Test
    void endsWithZeroWhenEveryPropertyHeld() {
        assertEquals(0, SimulateMain.run(List.of("--seeds", "5", "--threads", "2")));
        assertEquals(0, SimulateMain.run(List.of("--seed", "3", "--only", "NONE", "--clients", "1", "--agents", "1")));
        assertEquals(0, SimulateMain.run(List.of("--seed", "3", "--transactions", "5", "--skip", "1,2")));
    }

    @Test
    void endsWithTwoForWhatItDoesNotKnow() {
        assertEquals(2, SimulateMain.run(List.of("--only", "EARTHQUAKE")));
        assertEquals(2, SimulateMain.run(List.of("--seeds", "many")));
        assertEquals(2, SimulateMain.run(List.of("--bogus")));
    }

    @Test
    void saysNotThatEveryPropertyOfNothingHeld() {
        assertEquals(2, SimulateMain.run(List.of("--seeds", "0")));
        assertEquals(2, SimulateMain.run(List.of("--seeds", "-1")));
        assertEquals(2, SimulateMain.run(List.of("--seed", "3", "--transactions", "0")));
        assertEquals(2, SimulateMain.run(List.of("--seed", "3", "--agents", "0")));
    }
}
