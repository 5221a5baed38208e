/// Does nothing.
async fn nothing() {}
#[allow(deprecated)]
const _: () = {
    use ::toolgate::__private as __rt;
    const __TOOL: __rt::ToolDeclaration = __rt::ToolDeclaration {
        name: "nothing",
        title: __rt::Option::None,
        description: "Does nothing.",
        access: __rt::Access::Public,
        options: __rt::Options::NONE,
        signature: |__signature| {
            <() as __rt::IntoReply>::declare(__signature);
        },
        call: |__call| {
            __rt::Box::pin(async move {
                <() as __rt::IntoReply>::into_reply(nothing().await)
            })
        },
        location: __rt::Location {
            file: __rt::file!(),
            line: __rt::line!(),
            column: __rt::column!(),
        },
    };
    __rt::inventory::submit!(__TOOL);
};
