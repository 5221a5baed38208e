// What is `Send` in the function is `Send` in the tool: borrows across an await are fine.

use toolgate::prelude::*;

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Words {
    words: Vec<String>,
}

async fn length(word: &str) -> usize {
    std::future::ready(word.len()).await
}

/// Counts letters.
#[mcp_tool(public)]
async fn letters(
    Args(Words { words }): Args<Words>,
    state: State<std::sync::Mutex<usize>>,
) -> String {
    let mut sum = 0;
    for word in &words {
        sum += length(word).await;
    }
    *state.lock().unwrap() += sum;
    sum.to_string()
}

fn main() {}
